import type { OtherGateways, TellOthers } from '../../../core/broadcasts/other-gateways.js';

/** The oldest are forgotten first. About 100 bytes each. */
const MOST_KEPT = 100_000;

/** Ids are 20 letters of base64url, those of Engine.IO 3 have their namespace before them. */
const MOST_ID_LENGTH = 200;

/**
 * The clients that left by themselves or were sent away by the application. They still hold a private session id that proves who they
 * were, but Socket.IO does not recover them: their rooms and data are gone. The other gateways are told, since a client may return to
 * any of them.
 */
export class EndedSessions {
  readonly #ids = new Set<string>();
  readonly #tellOthers: TellOthers | undefined;
  readonly #most: number;
  #untold: string[] = [];

  /** @param others absent if the log has no way to other gateways */
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
    // All that leave in one turn are told in one message.
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
