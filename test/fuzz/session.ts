import type { Random } from '../chaos/random.js';
import type { Target } from './targets/target.js';
import { Wire } from './wire.js';

/** One step of a connection, recorded for a replay. */
export type Step =
  | { readonly wire: number; readonly connect: true; readonly http: boolean }
  | { readonly wire: number; readonly write: string }
  | { readonly wire: number; readonly close: 'fin' | 'reset' };

/** The maximum size of a transcript; later bytes are left out. */
const MAX_TRANSCRIPT_BYTES = 8 * 1_048_576;

/**
 * The behaviour of one client over one or a few connections. The same seed and index produce the same inputs if the
 * answers are the same.
 */
export class Session {
  readonly index: number;
  readonly random: Random;
  readonly target: Target;
  readonly startedAt = Date.now();
  endedAt: number | undefined;
  entrance = '';
  inputs = 0;
  readonly steps: Step[] = [];
  readonly #wires: Wire[] = [];
  #transcriptBytes = 0;

  constructor(index: number, random: Random, target: Target) {
    this.index = index;
    this.random = random;
    this.target = target;
  }

  /** Connects to a port of the target, from one of several loopback addresses. */
  async connect(port = this.target.port): Promise<Wire> {
    const address = `127.0.0.${this.random.integer(2, 60)}`;
    const wire = new Wire(this, this.#wires.length, { port, address });
    this.#wires.push(wire);
    this.steps.push({ wire: wire.number, connect: true, http: port === this.target.http?.port });
    await wire.connected;
    return wire;
  }

  record(step: Step, bytes: Buffer = Buffer.alloc(0)): void {
    this.#transcriptBytes += bytes.length;
    if (this.#transcriptBytes > MAX_TRANSCRIPT_BYTES) return;
    this.steps.push('write' in step ? { ...step, write: bytes.toString('base64') } : step);
  }

  /** Ends all connections that are still open. */
  end(): void {
    for (const wire of this.#wires) if (!wire.isAbandoned) wire.reset();
    this.endedAt = Date.now();
  }
}

/** Generates the input for one entrance. */
export interface Entrance {
  readonly name: string;
  readonly weight: number;
  /** Whether the target has this entrance; if absent, every target has it. */
  isThere?(target: Target): boolean;
  run(session: Session): Promise<void>;
}
