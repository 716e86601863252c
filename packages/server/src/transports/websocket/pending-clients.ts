import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type AuthFrame, type CloseCode, decodeClientFrame } from '@pregon/protocol';
import { isRefusal, type Verdict } from '../../core/admission/decision.js';
import { closeCodeOfRefusal } from '../../core/admission/refusal-codes.js';
import type { Allowed, Refusal } from '../../core/ports/admission.js';
import type { ServedRoute } from '../../core/routes/served-route.js';
import { SlotWheel } from '../../core/time/slot-wheel.js';
import type { ClientRegistry } from '../client-registry.js';
import { logRefusal } from '../http/refusal.js';
import { MAX_PENDING_BYTES, MOST_PENDING, PENDING_DEADLINE_MS } from '../pending-limits.js';
import { closeReason } from '../sockets/closing.js';
import type { ClientSocket } from './client-socket.js';
import type { FirstFrameLimit, NewClient } from './first-frame-limit.js';

export const TOO_MANY_PENDING: Refusal = {
  status: 503,
  reason: 'admission',
  message: 'too many clients have not shown their token yet',
  remedy: 'clients connect by pregon.v1 and send no auth frame',
  headers: { 'Retry-After': '1' },
};

/** A client that has completed the handshake of `pregon.v1`, at a route where it needs a token. */
export interface PendingClient {
  readonly client: ClientSocket;
  readonly socket: Socket;
  readonly request: IncomingMessage;
  readonly route: ServedRoute;
  /** What the client is told if it shows no token. */
  readonly refusal: Refusal;
  /** Called with the decision about its token, and the frame that showed it. Nothing is read from the client before. */
  decided(allowed: Allowed, frame: AuthFrame): void;
}

/**
 * The clients of `pregon.v1` that must still show their token, in their first frame. A pending client is no connection:
 * it opens no handler and gets no message. At most 1,000 are pending, each for 5 seconds and with one frame of 16 KB.
 * Until its first frame, a pending client counts for `maxPendingPerAddress`, together with the clients of its address
 * that wait for the decision of an admission.
 */
export class PendingClients {
  readonly #registry: ClientRegistry;
  readonly #firstFrames: FirstFrameLimit;
  readonly #deadlines: SlotWheel<Pending>;
  readonly #pending = new Set<Pending>();
  /** Those that have not sent their first frame: they count for `maxPendingPerAddress`. */
  readonly #silent = new Set<Pending>();

  constructor(registry: ClientRegistry, firstFrames: FirstFrameLimit) {
    const { clock, intake } = registry.options;
    this.#registry = registry;
    this.#firstFrames = firstFrames;
    this.#deadlines = new SlotWheel({ clock, turn: intake.turn, run: (late) => late.refuse(late.details.refusal) });
  }

  get count(): number {
    return this.#pending.size;
  }

  /** Whether one more client may be pending. */
  get hasRoom(): boolean {
    return this.#pending.size < MOST_PENDING;
  }

  add(details: PendingClient): void {
    const { clients, clock } = this.#registry.options;
    const deadline = clock.now() + PENDING_DEADLINE_MS;
    const pending = new Pending(details, this.#registry, {
      spoke: () => {
        this.#firstFrames.delete(pending);
        this.#deadlines.delete(pending, deadline);
        if (this.#silent.delete(pending)) clients.waited(details.request);
      },
      left: () => this.#pending.delete(pending),
    });
    const refusal = clients.waits(details.request);
    if (refusal) return pending.refuse(refusal);
    this.#silent.add(pending);
    this.#pending.add(pending);
    this.#deadlines.add(pending, deadline);
    this.#firstFrames.expect(pending);
  }

  /** Ends all pending clients at once, without a close frame. */
  destroy(): void {
    this.#deadlines.stop();
    for (const { details } of this.#pending) details.client.terminate();
  }
}

interface PendingHooks {
  /** The client has sent its first frame, or is gone. */
  spoke(): void;
  /** The client is not pending any more. */
  left(): void;
}

class Pending implements NewClient {
  readonly details: PendingClient;
  readonly #registry: ClientRegistry;
  readonly #hooks: PendingHooks;

  constructor(details: PendingClient, registry: ClientRegistry, hooks: PendingHooks) {
    this.details = details;
    this.#registry = registry;
    this.#hooks = hooks;
    const { client } = details;
    client.on('error', () => client.terminate());
    client.once('close', () => this.#leave());
    client.once('message', (data, isBinary) =>
      this.#receive(isBinary || !Buffer.isBuffer(data) ? '' : data.toString()),
    );
  }

  get hasSentData(): boolean {
    return this.details.socket.readableLength > 0;
  }

  setHeld(held: boolean): void {
    if (held) this.details.client.pause();
    else this.details.client.resume();
  }

  refuse(refusal: Refusal): void {
    const { client, request } = this.details;
    this.#leave();
    logRefusal(this.#registry.options.refusals, request, refusal);
    const code: CloseCode = closeCodeOfRefusal(refusal);
    client.dismiss(code.code, closeReason(code, refusal.message));
  }

  #receive(text: string): void {
    this.#hooks.spoke();
    const { client, route, request, refusal } = this.details;
    const frame = authFrameIn(text);
    if (!frame || frame.token === null) return this.refuse(refusal);
    // Frames behind the token are read under its rights.
    client.pause();
    const gone = () => client.readyState !== client.OPEN;
    const verdict = this.#registry.decideFirstToken(request, route, frame.token, gone);
    if (verdict instanceof Promise) void verdict.then((late) => this.#decided(late, frame));
    else this.#decided(verdict, frame);
  }

  #decided(verdict: Verdict, frame: AuthFrame): void {
    const { client, refusal, decided } = this.details;
    if (client.readyState !== client.OPEN) return;
    if (isRefusal(verdict)) return this.refuse(verdict);
    // Admissions that do not know the token admit an anonymous client, which has no rights here.
    if (!verdict.identity) return this.refuse(refusal);
    this.#leave();
    client.removeAllListeners();
    decided(verdict, frame);
    client.resume();
  }

  #leave(): void {
    this.#hooks.spoke();
    this.#hooks.left();
  }
}

function authFrameIn(text: string): AuthFrame | undefined {
  try {
    const frame = decodeClientFrame(text, MAX_PENDING_BYTES);
    return frame.op === 'auth' ? frame : undefined;
  } catch {
    return undefined;
  }
}
