const MAX_VIEWERS = 1_000;

/**
 * Counts requests, and bytes on the wire in both directions, by viewer and way, which a request gives as
 * `?viewer=…&way=…`.
 */
export class Traffic {
  #viewers = new Map();
  /** The bytes already counted per connection, which serves several requests in sequence. */
  #counted = new WeakMap();

  /**
   * Wraps `emit`, as tracing tools do, to see all requests: listeners of the server only see requests that are not the
   * gateway's.
   */
  constructor(server) {
    const emit = server.emit;
    server.emit = (event, ...args) => {
      if (event === 'request') this.#request(...args);
      if (event === 'upgrade') this.#upgrade(...args);
      return Reflect.apply(emit, server, [event, ...args]);
    };
  }

  #request(request, response) {
    const { socket } = request;
    const count = this.#countOf(request);
    if (count) count.requests += 1;
    response.once('close', () => {
      const bytes = this.#take(socket);
      if (count) count.bytes += bytes;
    });
  }

  #upgrade(request, socket) {
    const count = this.#countOf(request);
    if (!count) return;
    count.requests += 1;
    count.open.add(socket);
    socket.once('close', () => {
      count.bytes += this.#take(socket);
      count.open.delete(socket);
    });
  }

  /** The counts of a viewer by way: `{ websocket: { requests, bytes }, … }`. */
  of(viewer) {
    const counts = this.#viewers.get(viewer) ?? new Map();
    return Object.fromEntries([...counts].map(([way, count]) => [way, this.#sum(count)]));
  }

  #sum(count) {
    for (const socket of count.open) count.bytes += this.#take(socket);
    return { requests: count.requests, bytes: count.bytes };
  }

  #countOf({ url }) {
    const query = new URLSearchParams(url.split('?')[1]);
    const [viewer, way] = [query.get('viewer'), query.get('way')];
    if (viewer === null || way === null) return undefined;
    const counts = this.#viewers.get(viewer) ?? new Map();
    this.#viewers.set(viewer, counts);
    if (this.#viewers.size > MAX_VIEWERS) this.#viewers.delete(this.#viewers.keys().next().value);
    const count = counts.get(way) ?? { requests: 0, bytes: 0, open: new Set() };
    counts.set(way, count);
    return count;
  }

  /** The bytes of a socket since the last call. */
  #take(socket) {
    const total = socket.bytesRead + socket.bytesWritten;
    const bytes = total - (this.#counted.get(socket) ?? 0);
    this.#counted.set(socket, total);
    return bytes;
  }
}
