import type { IncomingMessage } from 'node:http';

/**
 * Browsers do not pipeline, and proxies send only a few requests at once, so a connection with more is no legitimate
 * client.
 */
const MOST_AT_ONCE = 64;

/**
 * Counts the requests of each connection in one event loop turn. Node.js hands over all requests of one socket read
 * without a break: with HTTP/1.1 pipelining (RFC 9112 section 9.3.2), about two thousand. A read cannot be stopped
 * halfway, so each surplus request still costs Node.js itself about ten microseconds, but it is not answered.
 */
export class PipelinedRequests {
  /** The counts of this turn, by connection. */
  readonly #counts = new Map<object, number>();

  /**
   * Whether the connection was closed by {@link PipelinedRequests.admits} in this turn, so that its remaining requests
   * are dropped.
   */
  isClosed({ socket }: IncomingMessage): boolean {
    return this.#counts.size > 0 && socket.destroyed && this.#counts.has(socket);
  }

  /** @returns false if there are too many requests on this connection: then it is closed, and the request is dropped */
  admits({ socket, httpVersionMajor }: IncomingMessage): boolean {
    // With HTTP/2, a proxy may send the simultaneous requests of many clients on one connection.
    if (httpVersionMajor !== 1) return true;
    if (this.#counts.size === 0) setImmediate(() => this.#counts.clear());
    const count = (this.#counts.get(socket) ?? 0) + 1;
    this.#counts.set(socket, count);
    if (count <= MOST_AT_ONCE) return true;
    socket.destroy();
    return false;
  }
}
