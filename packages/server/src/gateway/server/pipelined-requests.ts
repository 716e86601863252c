import type { IncomingMessage } from 'node:http';

/** Browsers do not pipeline, and proxies send a handful: more at once than this is no client of ours. */
const MOST_AT_ONCE = 64;

/**
 * Counts the requests of each connection in one turn of the event loop. Node.js hands over all that one read of the socket holds, without
 * a break: with HTTP/1.1 pipelining (RFC 9112 section 9.3.2) some two thousand. It cannot be stopped amid a read, so what is too much
 * still costs what Node.js itself does for a request, some ten microseconds; but nothing is answered.
 */
export class PipelinedRequests {
  /** Of this turn, by connection. */
  readonly #counts = new Map<object, number>();

  /** Whether the connection was closed here in this turn, so that all that still comes of it is nobody's. */
  isClosed({ socket }: IncomingMessage): boolean {
    return this.#counts.size > 0 && socket.destroyed && this.#counts.has(socket);
  }

  /** @returns false if there are too many on this connection: it is closed, and the request is nobody's */
  admits({ socket, httpVersionMajor }: IncomingMessage): boolean {
    // With HTTP/2 a proxy may send what many clients ask for at once on one connection.
    if (httpVersionMajor !== 1) return true;
    if (this.#counts.size === 0) setImmediate(() => this.#counts.clear());
    const count = (this.#counts.get(socket) ?? 0) + 1;
    this.#counts.set(socket, count);
    if (count <= MOST_AT_ONCE) return true;
    socket.destroy();
    return false;
  }
}
