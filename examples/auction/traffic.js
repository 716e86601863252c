const MAX_VIEWERS = 1_000;

/** Requests, and bytes on the wire in both directions, by viewer and way, as `?viewer=…&way=…` of a request says. */
export class Traffic {
  #viewers = new Map();
  /** What was counted of a connection so far; it carries one request after the other. */
  #counted = new WeakMap();

  /** Sees all that comes, as tracing tools do: the listeners of a server see only what the gateway on it leaves to them. */
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

  /** By way: `{ websocket: { requests, bytes }, … }`. */
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

  /** Bytes since it was asked last. */
  #take(socket) {
    const total = socket.bytesRead + socket.bytesWritten;
    const bytes = total - (this.#counted.get(socket) ?? 0);
    this.#counted.set(socket, total);
    return bytes;
  }
}
