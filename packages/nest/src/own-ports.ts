import { createServer, type Server } from 'node:http';
import { PregonError } from 'pregon';

/** The own ports of gateways, as in `@WebSocketGateway(3001)`, in addition to the application's port. */
export class OwnPorts {
  readonly #servers = new Map<number, Server>();
  readonly #attach: (server: Server) => void;
  /** The port of each connection. A closed socket has lost its port, and that of a long poll may be closed. */
  readonly #portOf = new WeakMap<object, number>();

  /** @param attach serves the gateway on a server */
  constructor(attach: (server: Server) => void) {
    this.#attach = attach;
  }

  /** The port through which a Socket.IO client connected; 0 if it is none of these ports. */
  cameBy(client: unknown): number {
    const connection = ['conn', 'request', 'socket'].reduce(
      (at, name) => (isObject(at) ? Reflect.get(at, name) : undefined),
      client,
    );
    return (isObject(connection) ? this.#portOf.get(connection) : undefined) ?? 0;
  }

  /** Starts to listen, on all addresses as Nest does. Does nothing if the port is already open. */
  open(port: number): void {
    if (this.#servers.has(port)) return;
    const server = createServer((_request, response) => response.writeHead(404).end());
    this.#servers.set(port, server);
    server.on('error', (cause) => {
      throw new PregonError('LISTEN_FAILED', `cannot listen on ${port}: ${cause.message}`, { cause });
    });
    server.on('connection', (connection) => this.#portOf.set(connection, port));
    this.#attach(server);
    server.listen(port);
  }

  async close(): Promise<void> {
    const servers = [...this.#servers.values()];
    this.#servers.clear();
    await Promise.all(
      servers.map((server) => {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        return closed;
      }),
    );
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
