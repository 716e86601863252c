import type { Socket } from 'node:net';

/** From how many that were held is read again in one turn of the event loop. */
const READ_PER_TURN = 16;

/**
 * Connections that have sent no request yet, in the order in which they came. They can be held, each of them once: nothing is read from
 * them meanwhile. Held again, those who were to be next would come last, and those who never send anything would have to be passed over each time.
 */
export class PendingHandshakes {
  readonly #unheld = new Set<Socket>();
  readonly #held = new Set<Socket>();

  /** To be deleted when it is closed. Where some are held, who comes after them is held too. */
  add(socket: Socket): void {
    if (this.#held.size > 0) this.#hold(socket);
    else this.#unheld.add(socket);
  }

  /** It is gone, or no newcomer any more. */
  delete(socket: Socket): void {
    if (!this.#unheld.delete(socket)) this.#held.delete(socket);
  }

  hold(): void {
    for (const socket of this.#unheld) this.#hold(socket);
    this.#unheld.clear();
  }

  /** Reads again from the next few. @returns whether some are held still */
  readOn(): boolean {
    let left = READ_PER_TURN;
    for (const socket of this.#held) {
      if (left === 0) return true;
      left -= 1;
      this.delete(socket);
      socket.resume();
    }
    return false;
  }

  /** The kernel keeps what it sends. To sockets that Node.js reads requests from, `pause` and `resume` are what they are to a stream. */
  #hold(socket: Socket): void {
    this.#held.add(socket);
    socket.pause();
  }
}
