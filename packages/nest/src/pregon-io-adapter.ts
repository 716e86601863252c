import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { OwnPorts } from './own-ports.js';
import { isHttpServer, PregonRuntime } from './pregon-runtime.js';

type IoServer = ReturnType<IoAdapter['createIOServer']>;
type ClientConnect = Parameters<IoAdapter['bindClientConnect']>;

/**
 * Runs Nest's gateways on the gateway of {@link PregonModule}. All other parts of a `@WebSocketGateway()` work as in
 * Nest.
 *
 * A gateway without a port uses the application's server. A gateway with a port handles only clients that connected
 * through that port. But its emits go to the whole namespace, on all ports, because there is one Socket.IO server.
 *
 * @example
 * ```ts
 * const app = await NestFactory.create(AppModule);
 * app.useWebSocketAdapter(new PregonIoAdapter(app));
 * ```
 */
export class PregonIoAdapter extends IoAdapter {
  readonly #runtime: PregonRuntime;
  readonly #ports: OwnPorts;
  /** The views that {@link createIOServer} made for own ports, and those of their namespaces, with their port. */
  readonly #views = new WeakMap<object, number>();

  /** @throws TypeError if the application does not import `PregonModule` */
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

  /** Does nothing: the gateway closes the Socket.IO server, after it has notified the clients. */
  override close(): Promise<void> {
    return Promise.resolve();
  }

  override async dispose(): Promise<void> {
    await this.#ports.close();
    await super.dispose();
  }

  /** A view of the server, or of a namespace, that Nest can distinguish from the view of another port. */
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
    throw new TypeError('PregonIoAdapter needs PregonModule: add it to the imports of the root module', { cause });
  }
}

/** Nest depends on its own copy of Socket.IO, whose types differ from those of the gateway's copy. */
function assertIoServer(io: unknown): asserts io is IoServer {
  if (typeof io !== 'object' || io === null || !('of' in io))
    throw new TypeError(
      'the gateway has no Socket.IO server: remove "socketIo: false" from the options of PregonModule',
    );
}
