import { createServer, type Server } from 'node:http';
import type { Server as SocketIoServer } from 'socket.io';

/** The servers on which the gateway serves Socket.IO. */
export interface IoPorts {
  /**
   * Serves Socket.IO on a server, with the same admission as on the gateway's own port.
   * @throws TypeError if another gateway on the server has the path
   */
  attach(server: Server): void;
  /** Undoes `attach`. */
  detach(server: Server): void;
  /** The gateway's own server, or else the first server that it is attached to. */
  readonly server: object | undefined;
}

type AnySocketIoServer = Pick<SocketIoServer, 'attach' | 'close' | 'engine'>;

/**
 * The servers that an application passes to `io.attach` and `io.listen`. Socket.IO itself would create another engine
 * for each, which would ignore the allowed origins and the draining of the gateway. Here all servers lead to the same
 * entrance.
 */
export class IoServers {
  readonly #io: AnySocketIoServer;
  /** The internal server that Socket.IO is attached to. It never listens. */
  readonly #inner: Server;
  readonly #named = new Set<Server>();
  /** Servers that `io.listen(port)` created. */
  readonly #made = new Set<Server>();
  readonly #closeInner: () => Promise<void>;
  #ports: IoPorts | undefined;
  #isClosed = false;
  /**
   * True while Socket.IO closes: it closes the server that `httpServer` returns, which must then be the internal one.
   */
  #isClosing = false;

  /** Replaces the methods of a Socket.IO server that attach, listen and close. */
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

  /** Must be set before a server can be attached. */
  set ports(ports: IoPorts) {
    this.#ports = ports;
  }

  /** Whether `io.close` was called; new clients are then refused. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Ends all clients of Socket.IO and closes the servers that were created here. Servers of the application keep
   * running.
   */
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

  /**
   * Ends the clients of Socket.IO and closes the servers that were passed to it, as Socket.IO does. Other clients of
   * the gateway stay connected.
   */
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

/** Accepts a port as a number or a string, as Socket.IO does. */
function portOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;
}

function isServer(value: unknown): value is Server {
  return typeof value === 'object' && value !== null && 'emit' in value && 'listen' in value && 'listeners' in value;
}
