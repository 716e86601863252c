import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { PregonError } from '@pregon/protocol';
import { type ExtendedError, Server, type ServerOptions, type Socket } from 'socket.io';
import type { OtherGateways } from '../../core/other-gateways.js';
import type { Door } from '../door.js';
import type { Entrance } from '../entrance.js';
import { parseTarget } from '../query.js';
import { refuseRequest, refuseUpgrade } from '../refusal.js';
import { shareTexts } from '../shared-texts.js';
import { EngineOutlet, type EngineSocket } from './engine-outlet.js';
import { Entering } from './entering.js';
import { GatewayAdapter, type Sessions } from './gateway-adapter.js';
import { Recovery } from './recovery.js';
import { forgetSoon, slim } from './slim.js';
import { SocketIoBus } from './socketio-bus.js';
import { socketIoPath } from './socketio-path.js';
import type { SocketIo, SocketIoTypes } from './socketio-types.js';

/**
 * What the server of Socket.IO is made with: all of its options but those by which it would keep events and rooms itself, and the
 * parser, since events are framed as JSON.
 *
 * @see https://socket.io/docs/v4/server-options/
 */
export type SocketIoOptions = Partial<Omit<ServerOptions, 'adapter' | 'connectionStateRecovery' | 'parser'>>;

export interface SocketIoEntranceOptions {
  readonly options: SocketIoOptions;
  readonly door: Door;
  readonly others: OtherGateways | undefined;
  /** What only the gateways know to which a client may return. */
  readonly secret: string | undefined;
  readonly maxFrameBytes: number;
}

/** How long one who left is remembered, with rooms and data; Socket.IO's own default. */
const REMEMBER_MS = 120_000;

const PING_TIMEOUT_MS = 20_000;

/** The server of Socket.IO, on the gateway's port. A route is the namespace that is named like its path. */
export class SocketIoEntrance<T extends SocketIoTypes> implements Entrance {
  readonly io: SocketIo<T>;
  readonly #door: Door;
  readonly #path: string;
  /** What the targets of its requests begin with. */
  readonly #prefix: string;
  /** Never listens: what Socket.IO attaches to, and is handed its requests by. */
  readonly #requests = createServer();
  readonly #outlets = new WeakMap<EngineSocket, EngineOutlet>();

  constructor({ options, door, others, secret, maxFrameBytes }: SocketIoEntranceOptions) {
    assertOptions(options);
    this.#door = door;
    this.#path = socketIoPath(options.path);
    this.#prefix = options.addTrailingSlash === false ? this.#path : `${this.#path}/`;
    const { clock, heartbeatMs, hub } = door.options;
    const recovery = new Recovery({ secret, rememberMs: REMEMBER_MS, clock, canServe: (at) => hub.canServe(at) });
    const bus = new SocketIoBus(others);
    const enterings = new Map(door.options.routes.map((route) => [route.path, new Entering(door, route)]));
    this.io = new Server(this.#requests, {
      pingInterval: heartbeatMs,
      // Where the heartbeat is quick, so is its end; Socket.IO waits this long by itself.
      pingTimeout: Math.min(heartbeatMs, PING_TIMEOUT_MS),
      maxHttpBufferSize: maxFrameBytes,
      // Whose origin is not allowed is refused before; to all others, browsers may show the answers.
      cors: { origin: true, credentials: true },
      ...options,
      path: this.#path,
      destroyUpgrade: false,
      // Called with `new`.
      adapter: function adapter(namespace) {
        const entering = enterings.get(namespace.name);
        return new GatewayAdapter(namespace, bus, entering && sessions(entering, recovery));
      },
      connectionStateRecovery: { maxDisconnectionDuration: REMEMBER_MS, skipMiddlewares: false },
    });
    this.io.engine.on('connection', forgetSoon);
    for (const [path, entering] of enterings) this.#serve(path, entering, recovery);
  }

  knows(target: string | undefined): boolean {
    // As Socket.IO looks at it itself: what it does not take, it does not answer.
    if (!target?.startsWith(this.#prefix)) return false;
    const { path } = parseTarget(target);
    return path === this.#path || path.startsWith(`${this.#path}/`);
  }

  arrives(request: IncomingMessage): boolean {
    return !isUnderWay(request);
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const underWay = isUnderWay(request);
    const refusal = this.#door.refusal(request, !underWay);
    if (refusal) return refuseRequest(response, refusal);
    // Engine.IO keeps the request that a client began with.
    if (!underWay) shareTexts(request);
    this.#requests.emit('request', request, response);
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const refusal = this.#door.refusal(request, !isUnderWay(request));
    if (refusal) return refuseUpgrade(stream, refusal);
    shareTexts(request);
    const taken = this.#requests.emit('upgrade', request, stream, head);
    if (!taken) refuseUpgrade(stream, { status: 400, message: 'WebSocket is not among the transports' });
  }

  destroy(): void {
    void this.io.close();
  }

  #serve(path: string, entering: Entering, recovery: Recovery): void {
    const namespace = this.io.of(path);
    namespace.use((socket, next) => {
      // Before Socket.IO tells the client, and instead of its own, which only this process would know.
      if (!socket.recovered) Reflect.set(socket, 'pid', recovery.sign(namespace.name, socket.id));
      if (this.#door.isOpen) return next(refusalOf(() => entering.handshake(socket)));
      // Told by an error alone, a stock client would not come back.
      socket.conn.close();
      next(new Error('the gateway is going away'));
    });
    namespace.on('connection', (socket: Socket) => {
      recovery.entered(socket.id);
      entering.enter(socket, this.#outletOf(socket.conn));
      slim(socket);
    });
  }

  #outletOf(conn: EngineSocket): EngineOutlet {
    let outlet = this.#outlets.get(conn);
    if (!outlet) {
      outlet = new EngineOutlet(conn, this.#door.options.maxBufferedBytes);
      this.#outlets.set(conn, outlet);
    }
    return outlet;
  }
}

function sessions(entering: Entering, recovery: Recovery): Sessions {
  return {
    left: (id) => entering.left(id),
    keep: (session) => recovery.keep(session),
    restore: (namespace, pid, offset) => recovery.restore(namespace, pid, offset),
  };
}

/** Types do not hold those who write JavaScript or YAML. @throws TypeError */
function assertOptions(options: object): void {
  const ours = ['adapter', 'connectionStateRecovery', 'parser'].find((name) => Object.hasOwn(options, name));
  if (ours !== undefined) throw new TypeError(`socketIo.${ours} is not to be chosen: recovery and rooms depend on it`);
}

/** A request of a client that was let in before. */
function isUnderWay({ url = '/' }: IncomingMessage): boolean {
  return /[?&]sid=/.test(url);
}

/** As Socket.IO hands it to the client: `connect_error`, with the code as its data. */
function refusalOf(parse: () => unknown): ExtendedError | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (!(error instanceof PregonError)) throw error;
    return Object.assign(new Error(error.message), { data: { code: error.code, retryable: error.retryable } });
  }
}
