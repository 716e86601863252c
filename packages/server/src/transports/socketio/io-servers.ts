import { createServer, type Server } from 'node:http';
import type { Server as SocketIoServer } from 'socket.io';

/** Where clients of Socket.IO come in. */
export interface IoPorts {
  /** Serves Socket.IO on a server, with the same admission as on the gateway's own port. @throws TypeError */
  attach(server: Server): void;
  /** The reverse of `attach`. */
  detach(server: Server): void;
  /** The gateway's own server, else the first one that it is attached to. */
  readonly server: object | undefined;
}

type AnySocketIoServer = Pick<SocketIoServer, 'attach' | 'close' | 'engine'>;

/**
 * The servers that an application names to `io.attach` and `io.listen`. Socket.IO would make another engine for each, which knows
 * nothing of the origins that the gateway allows, nor of its draining. Here all servers lead to the same entrance.
 */
export class IoServers {
  readonly #io: AnySocketIoServer;
  /** What Socket.IO is attached to: it never listens. */
  readonly #inner: Server;
  readonly #named = new Set<Server>();
  /** Those that `io.listen(port)` made. */
  readonly #made = new Set<Server>();
  readonly #closeInner: () => Promise<void>;
  #ports: IoPorts | undefined;
  #isClosed = false;
  /** Socket.IO itself closes what `httpServer` is. */
  #isClosing = false;

  /** Replaces the methods of a server of Socket.IO by which it is reached. */
  constructor(io: AnySocketIoServer, inner: Server) {
    this.#io = io;
    this.#inner = inner;
    const close = io.close.bind(io, undefined);
    this.#closeInner = async () => {
      this.#isClosing = true;
      await close();
      this.#isClosing = false;
    };
    const attach = (server: unknown, options?: object) => this.#attach(server, options);
    Reflect.set(io, 'attach', attach);
    Reflect.set(io, 'listen', attach);
    Reflect.set(io, 'close', (done?: (error?: Error) => void) => this.#close(done));
    Reflect.set(io.engine, 'attach', (server: unknown) => void this.#attach(server));
    for (const name of ['attachApp', 'bind']) Reflect.set(io, name, () => unsupported(name));
    Object.defineProperty(io, 'httpServer', {
      get: () => this.#server,
      set() {},
      configurable: true,
      enumerable: true,
    });
  }

  /** Until then no server can be named. */
  set ports(ports: IoPorts) {
    this.#ports = ports;
  }

  /** Whether `io.close` was called: new clients are refused. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends all clients of Socket.IO, and the ports that were made here; servers of the application live on. */
  destroy(): void {
    this.#isClosed = true;
    for (const server of this.#named) this.#ports?.detach(server);
    this.#named.clear();
    void this.#closeInner();
    for (const server of this.#made) {
      server.close();
      server.closeAllConnections();
    }
  }

  get #server(): object {
    const [named] = this.#named;
    if (this.#isClosing) return this.#inner;
    return this.#ports?.server ?? named ?? this.#inner;
  }

  #attach(to: unknown, options: object = {}): AnySocketIoServer {
    const [option] = Object.keys(options);
    if (option !== undefined)
      throw new TypeError(`io.attach: give "${option}" to the gateway, among its socketIo options`);
    if (!this.#ports || this.#isClosed) throw new TypeError('io.attach: the server of Socket.IO is closed');
    const port = portOf(to);
    const server = port === undefined ? to : createServer((_request, response) => response.writeHead(404).end());
    if (!isServer(server))
      throw new TypeError('io.attach takes a port or an HTTP server, such as app.listen() returns');
    this.#ports.attach(server);
    this.#named.add(server);
    if (port === undefined) return this.#io;
    this.#made.add(server);
    server.listen(port);
    return this.#io;
  }

  /** As Socket.IO does: ends its clients and closes the servers that were named to it. The gateway's other clients stay. */
  async #close(done?: (error?: Error) => void): Promise<void> {
    this.#isClosed = true;
    const named = [...this.#named];
    this.#named.clear();
    for (const server of named) this.#ports?.detach(server);
    await this.#closeInner();
    await Promise.all(named.map((server) => new Promise((resolve) => server.close(resolve))));
    done?.();
  }
}

function unsupported(name: string): never {
  throw new TypeError(
    `io.${name} is not supported: clients are served by the gateway's own engine; use io.attach(server)`,
  );
}

/** As Socket.IO takes it: also as a string. */
function portOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;
}

function isServer(value: unknown): value is Server {
  return typeof value === 'object' && value !== null && 'emit' in value && 'listen' in value && 'listeners' in value;
}
