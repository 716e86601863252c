import type { Socket } from 'node:net';

/** How many held connections are read from in one event loop turn. */
const READ_PER_TURN = 16;

/**
 * Connections that have not sent a request yet, in order of arrival. Nothing is read from a held connection. A
 * connection is held only once: if it were held again, it would lose its place in the order, and silent connections
 * would have to be skipped each time.
 */
export class PendingHandshakes {
  readonly #unheld = new Set<Socket>();
  readonly #held = new Set<Socket>();

  /** Adds a connection; delete it when it closes. While other connections are held, the new one is held behind them. */
  add(socket: Socket): void {
    if (this.#held.size > 0) this.#hold(socket);
    else this.#unheld.add(socket);
  }

  /** Removes a connection that has closed or has sent its request. */
  delete(socket: Socket): void {
    if (!this.#unheld.delete(socket)) this.#held.delete(socket);
  }

  hold(): void {
    for (const socket of this.#unheld) this.#hold(socket);
    this.#unheld.clear();
  }

  /** Resumes reading from the next few connections. @returns whether some are still held */
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

  /**
   * The kernel buffers what the client sends. `pause` and `resume` work on sockets of a Node.js HTTP server as on any
   * stream.
   */
  #hold(socket: Socket): void {
    this.#held.add(socket);
    socket.pause();
  }
}
