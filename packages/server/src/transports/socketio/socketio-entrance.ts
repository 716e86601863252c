import { createServer, type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type CloseCode, type JsonShape, PregonError, toError } from '@pregon/protocol';
import type { ExtendedError, Namespace, Socket } from 'socket.io';
import type { Carrier } from '../../core/admission/clients.js';
import { isRefusal, type Verdict } from '../../core/admission/decision.js';
import { toldError } from '../../core/connections/told-error.js';
import type { Allowed, Identity, Refusal } from '../../core/ports/admission.js';
import { firstRequestOf, knowsClient, limitFrames } from '../../private-fields/engine-io.js';
import { replacePrivateId } from '../../private-fields/socket-io.js';
import type { ClientRegistry } from '../client-registry.js';
import { logRefusal, refuseRequest, refuseUpgrade, retryAfterMs } from '../http/refusal.js';
import { MAX_PENDING_BYTES, PENDING_DEADLINE_MS } from '../pending-limits.js';
import { internRequest } from '../sockets/string-interning.js';
import { gatewayAdapter, type Sessions } from './bus/gateway-adapter.js';
import type { SocketIoBus } from './bus/socketio-bus.js';
import { disconnectSurely } from './engine/disconnect-surely.js';
import { type EngineSocket, EngineWriter } from './engine/engine-writer.js';
import { pacedEngine } from './engine/paced-engine.js';
import { packetDecoder } from './engine/packet-decoder.js';
import { PendingSessions } from './engine/pending-sessions.js';
import { PolledPayloads } from './engine/polled-payloads.js';
import { ShownTokens } from './engine/shown-tokens.js';
import { limitPollingClose, releaseUnusedFields } from './engine/socketio-internals.js';
import { type IoPorts, IoServers } from './io-servers.js';
import type { SocketIoLibrary } from './library.js';
import { watchParents } from './parent-namespaces.js';
import type { EndedSessions } from './recovery/ended-sessions.js';
import { Recovery } from './recovery/recovery.js';
import { refusePoll, refuseSocket, watchRefusals } from './refusals.js';
import { RouteNamespace } from './route-namespace.js';
import type { SocketIoOptions } from './socketio-options.js';
import { type SocketIoTargets, sessionIdOf } from './socketio-path.js';
import type { OnlySocketIoTypes, SocketIo } from './socketio-types.js';

export interface SocketIoEntranceOptions {
  readonly options: SocketIoOptions;
  readonly registry: ClientRegistry;
  readonly bus: SocketIoBus;
  readonly endedSessions: EndedSessions;
  /** A secret that only the gateways know to which a client may return. */
  readonly secret: string | undefined;
  readonly maxFrameBytes: number;
  readonly maxPolledPackets: number;
  readonly shape: JsonShape;
  /** Whether clients may need a token, which they show when they enter a namespace. @default false */
  readonly hasAuth?: boolean | undefined;
}

/** How long a disconnected client is remembered, with rooms and data. This is Socket.IO's own default. */
const REMEMBER_MS = 120_000;

const PING_TIMEOUT_MS = 20_000;

const CLOSED: Refusal = { status: 503, message: 'Socket.IO was closed here by io.close()' };

/** The Socket.IO server on the gateway's port. The namespace of a route has the name of its path. */
export class SocketIoEntrance<T extends OnlySocketIoTypes<T>> {
  readonly io: SocketIo<T>;
  readonly #registry: ClientRegistry;
  /** Never listens: Socket.IO attaches to it, and its events pass requests on to Socket.IO. */
  readonly #requests = createServer();
  readonly #servers: IoServers;
  /** Requests that came through the entrance, and the decision about them. */
  readonly #admitted = new WeakMap<object, Allowed>();
  /** The decisions about sockets that enter a namespace. */
  readonly #entering = new WeakMap<Socket, Allowed>();
  /** Undefined if no client needs a token. */
  readonly #shownTokens: ShownTokens | undefined;
  /** Undefined if no client needs a token. */
  readonly #pending: PendingSessions | undefined;
  readonly #maxFrameBytes: number;
  readonly #writers = new WeakMap<EngineSocket, EngineWriter>();

  constructor(
    { options, registry, bus, endedSessions, secret, ...limits }: SocketIoEntranceOptions,
    targets: SocketIoTargets,
    library: SocketIoLibrary,
  ) {
    const GatewayAdapter = gatewayAdapter(library);
    this.#registry = registry;
    this.#shownTokens = limits.hasAuth ? new ShownTokens(registry.options.clock) : undefined;
    this.#pending = limits.hasAuth ? new PendingSessions(registry.options) : undefined;
    const { clock, heartbeatMs, hub, intake } = registry.options;
    const maxFrameBytes = options.maxHttpBufferSize ?? limits.maxFrameBytes;
    this.#maxFrameBytes = maxFrameBytes;
    const maxPendingBytes = Math.min(MAX_PENDING_BYTES, maxFrameBytes);
    const maxBytesOf = (request: IncomingMessage) => (this.#isPending(request) ? maxPendingBytes : maxFrameBytes);
    const canServe = (position: string) => hub.canServe(position);
    const recovery = new Recovery({ secret, rememberMs: REMEMBER_MS, clock, canServe, endedSessions });
    const routeNamespaces = new Map(
      registry.options.routes.map((route) => [route.path, new RouteNamespace(registry, route)]),
    );
    this.io = new library.Server(this.#requests, {
      pingInterval: heartbeatMs,
      // A short heartbeat interval needs a short timeout. Socket.IO's own default is the upper limit.
      pingTimeout: Math.min(heartbeatMs, PING_TIMEOUT_MS),
      maxHttpBufferSize: maxFrameBytes,
      // Requests of disallowed origins are refused earlier; browsers may show responses to all other pages.
      cors: { origin: true, credentials: true },
      // A client can invent names for a namespace that is defined by a pattern, so empty ones must be removed.
      cleanupEmptyChildNamespaces: true,
      wsEngine: pacedEngine(intake, maxBytesOf),
      ...(limits.hasAuth ? { connectTimeout: PENDING_DEADLINE_MS } : {}),
      ...options,
      parser: {
        Encoder: library.Encoder,
        Decoder: packetDecoder(library.Decoder, { maxFrameBytes, shape: limits.shape }),
      },
      path: targets.path,
      destroyUpgrade: false,
      // Called with `new`, so it must not be an arrow function.
      adapter: function adapter(namespace) {
        const routeNamespace = routeNamespaces.get(namespace.name);
        return new GatewayAdapter(namespace, bus, routeNamespace && sessions(routeNamespace, recovery));
      },
      connectionStateRecovery: { maxDisconnectionDuration: REMEMBER_MS, skipMiddlewares: false },
    });
    this.#servers = new IoServers(this.io, this.#requests);
    // An application that calls the engine directly bypasses the entrance; its requests are still checked for admission
    // here.
    this.io.engine.use((request: IncomingMessage, response: ServerResponse, next: (error?: Error) => void) => {
      if (this.#admitted.has(request)) return next();
      const decided = (verdict: Verdict): void => {
        if (isRefusal(verdict)) return this.#refuseInEngine(request, response, verdict, next);
        this.#admitted.set(request, verdict);
        next();
      };
      const found = this.sessionOf(request);
      const details = { isNew: !found, found };
      const verdict = registry.decide(request, { kind: 'socket.io', name: targets.path }, details);
      if (verdict instanceof Promise) verdict.then(decided).catch((error: unknown) => next(toError(error)));
      else decided(verdict);
    });
    const payloads = new PolledPayloads({ intake, maxBytesOf, maxPackets: limits.maxPolledPackets });
    this.io.engine.on('connection', (conn: EngineSocket) => {
      limitPollingClose(conn);
      const { clients } = registry.options;
      clients.keep(conn.request, sessionCarrier(conn));
      // Socket.IO copies it to `handshake.address` of each socket.
      Object.assign(conn, { remoteAddress: clients.addressOf(conn.request) });
      payloads.guard(conn.transport);
      if (!this.#admitted.get(conn.request)?.identity) this.#pending?.add(conn);
    });
    watchRefusals(this.io, registry.options);
    if (!routeNamespaces.has('/')) this.#guardNamespace(this.io.of('/'));
    watchParents(this.io, (parent) => this.#askAdmissions(parent));
    this.io.on('new_namespace', (namespace: Namespace) => {
      if (!routeNamespaces.has(namespace.name)) this.#guardNamespace(namespace);
    });
    for (const [path, routeNamespace] of routeNamespaces) this.#serve(path, routeNamespace, recovery);
  }

  /** Whether a request comes from a client that is not connected yet. */
  arrives(request: IncomingMessage): boolean {
    return !this.#isUnderWay(request);
  }

  /** The decision about the session of a request; undefined if the client is not connected yet. */
  sessionOf(request: IncomingMessage): Allowed | undefined {
    if (!this.#isUnderWay(request)) return undefined;
    const first = firstRequestOf(this.io.engine, sessionIdOf(request.url) ?? '');
    return (first && this.#admitted.get(first)) ?? {};
  }

  /**
   * @param allowed undefined for a request of the public client script, which no admission has decided on: if Socket.IO
   *   does not serve it, the engine asks them
   */
  request(request: IncomingMessage, response: ServerResponse, allowed: Allowed | undefined): void {
    if (this.#servers.isClosed) return refusePoll(this.#registry, request, response, CLOSED);
    if (allowed) this.#admitted.set(request, allowed);
    const refusal = allowed && this.#tooManyPending(request);
    if (refusal) return refusePoll(this.#registry, request, response, refusal);
    // Engine.IO keeps the request with which a client connected.
    if (!this.#isUnderWay(request)) internRequest(request);
    this.#requests.emit('request', request, response);
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, allowed: Allowed): void {
    if (this.#servers.isClosed) return refuseSocket(this.#registry, request, stream, CLOSED);
    this.#admitted.set(request, allowed);
    const refusal = this.#tooManyPending(request);
    if (refusal) return refuseSocket(this.#registry, request, stream, refusal);
    internRequest(request);
    const taken = this.#requests.emit('upgrade', request, stream, head);
    if (!taken) refuseUpgrade(stream, { status: 400, message: 'WebSocket is not among the transports' });
  }

  /** Ends all remaining clients at once, without a close frame. */
  destroy(): void {
    this.#servers.destroy();
  }

  /** Set when the gateway is ready to attach servers. */
  set ports(ports: IoPorts) {
    this.#servers.ports = ports;
  }

  #refuseInEngine(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: Refusal,
    next: (error: Error) => void,
  ): void {
    logRefusal(this.#registry.options.refusals, request, refusal);
    if (!(response instanceof ServerResponse)) return next(new Error(refusal.message));
    // Engine.IO has already set its own CORS headers.
    response.removeHeader('Access-Control-Allow-Origin');
    response.removeHeader('Access-Control-Allow-Credentials');
    refuseRequest(response, refusal);
  }

  #serve(path: string, routeNamespace: RouteNamespace, recovery: Recovery): void {
    const namespace = this.io.of(path);
    namespace.use((socket, next) => {
      if (!this.#registry.isOpen) return turnAway(socket, next);
      const wrong = refusalOf(() => routeNamespace.handshake(socket));
      if (wrong) return next(wrong);
      const admit = () => routeNamespace.admit(socket, this.#admitted.get(socket.request));
      this.#whenAdmitted(this.#tooMany(socket) ?? admit(), socket, next, (identity) => {
        if (socket.recovered) return recovery.belongsTo(namespace.name, socket.handshake.auth.pid, identity);
        // This runs before Socket.IO tells the client its private session id, and replaces the original one, which only
        // this process would know.
        replacePrivateId(socket, recovery.sign(namespace.name, socket.id, identity));
        return true;
      });
    });
    namespace.on('connection', (socket: Socket) => {
      this.#entered(socket.conn);
      recovery.entered(socket.id);
      routeNamespace.enter(socket, this.#writerOf(socket.conn), this.#entering.get(socket) ?? {});
      releaseUnusedFields(socket);
    });
  }

  /** Asks the admissions about each client of a namespace that is not a route, before the application's middlewares. */
  #guardNamespace(namespace: Pick<Namespace, 'use' | 'on'>): void {
    this.#askAdmissions(namespace);
    namespace.on('connection', (socket: Socket) => {
      this.#entered(socket.conn);
      const close = ({ reconnect }: CloseCode) => {
        if (!socket.connected) return;
        // Stock clients reconnect only if the transport is closed. Data that waits is discarded with the transport.
        if (reconnect || this.#writerOf(socket.conn).bufferedBytes > 0) socket.conn.close(true);
        else disconnectSurely(socket);
      };
      const unwatch = this.#registry.watchRights(this.#entering.get(socket)?.identity, close);
      if (unwatch) socket.once('disconnect', unwatch);
    });
  }

  /** Asks once for each socket, also if it passes the middlewares of a parent namespace. */
  #askAdmissions(namespace: Pick<Namespace, 'use'>): void {
    namespace.use((socket, next) => {
      if (this.#entering.has(socket)) return next();
      const entrance = { kind: 'namespace', name: socket.nsp.name };
      const { request, conn } = socket;
      const token: unknown = Reflect.get(socket.handshake.auth, 'token');
      const details = { token, found: this.#admitted.get(request), isGone: () => conn.readyState !== 'open' };
      this.#whenAdmitted(this.#tooMany(socket) ?? this.#registry.decide(request, entrance, details), socket, next);
    });
  }

  /** Whether the client of a request has neither an identity nor entered a namespace, and so may still need a token. */
  #isPending(request: IncomingMessage): boolean {
    if (!this.#pending) return false;
    const first = firstRequestOf(this.io.engine, sessionIdOf(request.url) ?? '');
    return first ? this.#pending.has(first) : !this.#admitted.get(request)?.identity;
  }

  #tooManyPending(request: IncomingMessage): Refusal | undefined {
    if (this.#isUnderWay(request) || !this.#isPending(request)) return undefined;
    return this.#pending?.refusal(request);
  }

  #entered(conn: EngineSocket): void {
    if (!this.#pending?.delete(conn)) return;
    const limit = (transport: EngineSocket['transport']) => limitFrames(transport, this.#maxFrameBytes);
    if (!limit(conn.transport)) conn.once('upgrade', limit);
  }

  /** Counts a client that asks to enter a namespace. */
  #tooMany({ conn, handshake }: Socket): Refusal | undefined {
    this.#pending?.asks(conn);
    return Reflect.get(handshake.auth, 'token') === undefined ? undefined : this.#shownTokens?.show(conn);
  }

  /** @param isOwner whether the session of the socket belongs to the admitted identity. Default: it does */
  #whenAdmitted(
    verdict: Verdict | Promise<Verdict>,
    socket: Socket,
    next: (error?: ExtendedError) => void,
    isOwner: (identity: Identity | undefined) => boolean = () => true,
  ): void {
    const decided = (late: Verdict): void => {
      if (isRefusal(late)) return this.#refuseNamespace(socket, late, next);
      if (!isOwner(late.identity)) return turnAway(socket, next, 'the session belongs to another identity');
      this.#entering.set(socket, late);
      if (late.identity) Object.assign(Object(socket.data), { identity: late.identity });
      next();
    };
    if (verdict instanceof Promise) verdict.then(decided).catch((error: unknown) => next(toError(error)));
    else decided(verdict);
  }

  /** Refuses a client at a namespace. A stock client does not try again by itself, except after a lost transport. */
  #refuseNamespace(socket: Socket, refusal: Refusal, next: (error: ExtendedError) => void): void {
    this.#pending?.refused(socket.conn);
    logRefusal(this.#registry.options.refusals, socket.request, refusal);
    if (refusal.status === 503) return turnAway(socket, next);
    const data =
      refusal.status === 429
        ? { code: 'RATE_LIMITED', status: 429, retryable: true, retryAfterMs: retryAfterMs(refusal) }
        : { code: 'FORBIDDEN', status: refusal.status, retryable: false };
    next(Object.assign(new Error(refusal.message), { data }));
  }

  /** A session id that is unknown here does not count. */
  #isUnderWay(request: IncomingMessage): boolean {
    const sid = sessionIdOf(request.url);
    return sid !== undefined && knowsClient(this.io.engine, sid);
  }

  #writerOf(conn: EngineSocket): EngineWriter {
    let writer = this.#writers.get(conn);
    if (!writer) {
      writer = new EngineWriter(conn, this.#registry.options.maxBufferedBytes);
      this.#writers.set(conn, writer);
    }
    return writer;
  }
}

function sessions(routeNamespace: RouteNamespace, recovery: Recovery): Sessions {
  return {
    left(id) {
      routeNamespace.left(id);
      recovery.left(id);
    },
    refused: (id) => recovery.refused(id),
    keep: (session) => recovery.keep(session),
    restore: (namespace, pid, offset) => recovery.restore(namespace, pid, offset),
  };
}

/**
 * Converts an error to the form in which Socket.IO sends it to the client: `connect_error`, with the code in its data.
 */
function refusalOf(parse: () => unknown): ExtendedError | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (!(error instanceof PregonError)) throw error;
    const { message, ...data } = toldError(error);
    return Object.assign(new Error(message), { data });
  }
}

function sessionCarrier(conn: EngineSocket): Carrier {
  return {
    get closed() {
      return conn.readyState === 'closed';
    },
    once: (event, listener) => conn.once(event, listener),
  };
}

/** Closes the transport: after an error alone, a stock client would not reconnect. */
function turnAway(socket: Socket, next: (error: Error) => void, why = 'the gateway is going away'): void {
  socket.conn.close();
  next(new Error(why));
}
