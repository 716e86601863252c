import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { OwnPorts } from './own-ports.js';
import { isHttpServer, PregonRuntime } from './pregon-runtime.js';

type IoServer = ReturnType<IoAdapter['createIOServer']>;
type ClientConnect = Parameters<IoAdapter['bindClientConnect']>;

/**
 * Puts gateways of Nest on the gateway of {@link PregonModule}: `app.useWebSocketAdapter(new PregonIoAdapter(app))`. All else of a
 * `@WebSocketGateway()` stays as Nest does it.
 *
 * A gateway without a port is on the application's server. One with a port hears those who came by that port alone; what it emits
 * goes to the namespace, on all ports, since there is one server of Socket.IO.
 */
export class PregonIoAdapter extends IoAdapter {
  readonly #runtime: PregonRuntime;
  readonly #ports: OwnPorts;
  /** What {@link createIOServer} made for a port of its own, and the namespaces of it. */
  readonly #views = new WeakMap<object, number>();

  /** @throws TypeError where the application does not import `PregonModule` */
  constructor(app: INestApplicationContext) {
    super(app);
    this.#runtime = runtimeOf(app);
    this.#ports = new OwnPorts((server) => this.#runtime.attach(server));
  }

  override createIOServer(port: number): IoServer {
    const io: unknown = this.#runtime.gateway.io;
    assertIoServer(io);
    if (port !== 0) {
      this.#ports.open(port);
      return this.#viewOf(io, port);
    }
    const server: unknown = this.httpServer;
    if (isHttpServer(server)) this.#runtime.attach(server);
    return io;
  }

  override bindClientConnect(...[server, callback]: ClientConnect): void {
    const port = this.#views.get(server) ?? 0;
    super.bindClientConnect(server, (...connected: unknown[]) => {
      if (this.#ports.cameBy(connected[0]) === port) Reflect.apply(callback, undefined, connected);
    });
  }

  /** The server of Socket.IO closes with the gateway, which tells its clients first. */
  override close(): Promise<void> {
    return Promise.resolve();
  }

  override async dispose(): Promise<void> {
    await this.#ports.close();
    await super.dispose();
  }

  /** The server, or a namespace of it, as one that Nest can tell from that of another port. */
  #viewOf<T extends object>(whole: T, port: number): T {
    const view = new Proxy(whole, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== 'of') return value.bind(target);
        return (...args: unknown[]) => this.#viewOf(Object(Reflect.apply(value, target, args)), port);
      },
    });
    this.#views.set(view, port);
    return view;
  }
}

function runtimeOf(app: INestApplicationContext): PregonRuntime {
  try {
    return app.get(PregonRuntime, { strict: false });
  } catch (cause) {
    throw new TypeError('PregonIoAdapter needs PregonModule among the imports of the application', { cause });
  }
}

/** Nest brings a Socket.IO of its own, whose types are others than those of the gateway's. */
function assertIoServer(io: unknown): asserts io is IoServer {
  if (typeof io !== 'object' || io === null || !('of' in io)) throw new TypeError('the gateway has no Socket.IO');
}
