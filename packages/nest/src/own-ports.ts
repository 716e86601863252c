import { createServer, type Server } from 'node:http';
import { PregonError } from 'pregon';

/** The ports that gateways have of their own, `@WebSocketGateway(3001)`, beside that of the application. */
export class OwnPorts {
  readonly #servers = new Map<number, Server>();
  readonly #attach: (server: Server) => void;

  /** @param attach serves the gateway on a server */
  constructor(attach: (server: Server) => void) {
    this.#attach = attach;
  }

  has(port: number): boolean {
    return this.#servers.has(port);
  }

  /** Begins to listen, on all addresses as Nest does. Without effect for a port that is open. */
  open(port: number): void {
    if (this.#servers.has(port)) return;
    const server = createServer((_request, response) => response.writeHead(404).end());
    this.#servers.set(port, server);
    server.on('error', (cause) => {
      throw new PregonError('LISTEN_FAILED', `cannot listen on ${port}: ${cause.message}`, { cause });
    });
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
