import type { HttpRequest } from '../../../core/admission/admission-request.js';
import type { Clients } from '../../../core/admission/clients.js';
import type { Refusal } from '../../../core/ports/admission.js';
import type { RefusalLog } from '../../../core/refusals/refusal-log.js';
import { logRefusal } from '../../http/refusal.js';
import { MOST_PENDING } from '../../pending-limits.js';
import type { EngineSocket } from './engine-writer.js';

const TOO_MANY: Refusal = {
  status: 503,
  reason: 'admission',
  message: 'too many sessions of Socket.IO have not entered a namespace yet',
  remedy: 'clients connect by Socket.IO and enter no namespace',
  headers: { 'Retry-After': '1' },
};

interface Pending {
  /** Whether it counts among the clients of its address that wait. */
  isCounted: boolean;
  readonly onClose: () => void;
}

export interface PendingSessionsOptions {
  readonly clients: Pick<Clients, 'waits' | 'waited'>;
  readonly refusals: RefusalLog;
}

/**
 * The sessions that have no identity, and have entered no namespace yet: their clients must still show a token. At most
 * 1,000 are pending, 20 of them of one address; further ones are closed.
 */
export class PendingSessions {
  readonly #options: PendingSessionsOptions;
  /** By the request that began the session. */
  readonly #pending = new Map<object, Pending>();

  constructor(options: PendingSessionsOptions) {
    this.#options = options;
  }

  has(firstRequest: object): boolean {
    return this.#pending.has(firstRequest);
  }

  /** Refuses a request that would begin one more session than there may be. Such a request has a status to refuse it by. */
  refusal(request: HttpRequest): Refusal | undefined {
    if (this.#pending.size >= MOST_PENDING) return TOO_MANY;
    const { clients } = this.#options;
    const refusal = clients.waits(request);
    if (!refusal) clients.waited(request);
    return refusal;
  }

  add(conn: EngineSocket): void {
    const pending = { isCounted: false, onClose: () => this.delete(conn) };
    const hasRoom = this.#pending.size < MOST_PENDING;
    this.#pending.set(conn.request, pending);
    conn.once('close', pending.onClose);
    if (hasRoom) this.#count(conn, pending);
    else this.#refuse(conn, TOO_MANY);
  }

  /** The client asks to enter a namespace: until the decision, it counts as a client that waits for that. */
  asks({ request }: EngineSocket): void {
    const pending = this.#pending.get(request);
    if (pending) this.#uncount(request, pending);
  }

  /** The client was refused at a namespace, and may ask for another one. */
  refused(conn: EngineSocket): void {
    const pending = this.#pending.get(conn.request);
    if (pending && !pending.isCounted) this.#count(conn, pending);
  }

  /** The session has entered a namespace, or has ended. @returns whether it was pending */
  delete(conn: EngineSocket): boolean {
    const { request } = conn;
    const pending = this.#pending.get(request);
    if (!pending) return false;
    conn.off('close', pending.onClose);
    this.#uncount(request, pending);
    return this.#pending.delete(request);
  }

  #count(conn: EngineSocket, pending: Pending): void {
    const refusal = this.#options.clients.waits(conn.request);
    if (refusal) return this.#refuse(conn, refusal);
    pending.isCounted = true;
  }

  #uncount(request: EngineSocket['request'], pending: Pending): void {
    if (pending.isCounted) this.#options.clients.waited(request);
    pending.isCounted = false;
  }

  /** The session has begun, so there is no status to refuse it by: a stock client tries again later when its transport closes. */
  #refuse(conn: EngineSocket, refusal: Refusal): void {
    logRefusal(this.#options.refusals, conn.request, refusal);
    conn.close(true);
  }
}
