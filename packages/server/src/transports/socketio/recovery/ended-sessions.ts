import type { OtherGateways, TellOthers } from '../../../core/broadcasts/other-gateways.js';

/** The most ids, of about 100 bytes each; the oldest are dropped first. */
const MOST_KEPT = 100_000;

/** Ids have 20 characters of base64url; those of Engine.IO 3 have their namespace as a prefix. */
const MOST_ID_LENGTH = 200;

/**
 * The sessions that cannot be recovered, because the client disconnected on purpose or the application disconnected it.
 * Such a client still holds a valid private session id, but Socket.IO does not recover it: its rooms and data are gone.
 * Other gateways are told, because a client may return to any of them.
 */
export class EndedSessions {
  readonly #ids = new Set<string>();
  readonly #tellOthers: TellOthers | undefined;
  readonly #most: number;
  #untold: string[] = [];

  /** @param others undefined if the log has no channel to other gateways */
  constructor(others: OtherGateways | undefined, most: number = MOST_KEPT) {
    this.#most = most;
    this.#tellOthers = others?.open('socket.io.left', (text) => this.#hear(text));
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    this.#keep(id);
    if (!this.#tellOthers) return;
    // All sessions that end in one turn are sent in one message.
    if (this.#untold.length === 0) setImmediate(() => this.#tell());
    this.#untold.push(id);
  }

  #tell(): void {
    const ids = this.#untold;
    this.#untold = [];
    this.#tellOthers?.(JSON.stringify(ids));
  }

  #hear(text: string): void {
    const ids: unknown = JSON.parse(text);
    if (!Array.isArray(ids)) return;
    for (const id of ids) if (typeof id === 'string' && id.length <= MOST_ID_LENGTH) this.#keep(id);
  }

  #keep(id: string): void {
    this.#ids.add(id);
    if (this.#ids.size <= this.#most) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      break;
    }
  }
}
