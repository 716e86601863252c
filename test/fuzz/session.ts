import type { Random } from '../chaos/random.js';
import type { Target } from './targets/target.js';
import { Wire } from './wire.js';

/** One thing that was done to a connection, to be done again by a replay. */
export type Step =
  | { readonly wire: number; readonly connect: true; readonly http: boolean }
  | { readonly wire: number; readonly write: string }
  | { readonly wire: number; readonly close: 'fin' | 'reset' };

/** Bytes of a transcript; what exceeds them is left out. */
const MAX_TRANSCRIPT_BYTES = 8 * 1_048_576;

/** What one client does, over one connection or a few. The same seed and index make the same inputs against the same answers. */
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

  /** Connects to a port of the target, from one of several addresses of the loopback network. */
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

  /** Ends whatever is still open, in one way or another. */
  end(): void {
    for (const wire of this.#wires) if (!wire.isAbandoned) wire.reset();
    this.endedAt = Date.now();
  }
}

/** What a way in generates. */
export interface Entrance {
  readonly name: string;
  readonly weight: number;
  /** Undefined or true if the target has this entrance. */
  isThere?(target: Target): boolean;
  run(session: Session): Promise<void>;
}
