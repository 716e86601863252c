import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SUBPROTOCOL } from '@pregon/protocol';
import type { PerMessageDeflateOptions, Server } from 'ws';
import type { ClientConnection } from '../../core/connections/client-connection.js';
import type { Query, Refusal } from '../../core/ports/transport.js';
import type { Compression, ServedRoute } from '../../core/routes/served-route.js';
import type { SubscriptionLimits } from '../../core/topics/topic-limits.js';
import { forgetPeerName } from '../../private-fields/node-net.js';
import type { Admitted, ClientRegistry, RouteVerdict } from '../client-registry.js';
import { assertQuery } from '../http/query.js';
import { logRefusal, refuseUpgrade, wrongHandshake } from '../http/refusal.js';
import type { FrameLimits } from '../kernel.js';
import { MAX_PENDING_BYTES } from '../pending-limits.js';
import { CLOSE_TIMEOUT_MS } from '../sockets/closing.js';
import { guard, unguard } from '../sockets/guarded-socket.js';
import { closeRefused, hasCloseCode } from '../sockets/refused-socket.js';
import { internUrlAndHeaders } from '../sockets/string-interning.js';
import { WebSocketServer } from '../sockets/ws.js';
import { ClientSocket } from './client-socket.js';
import { CompressedEvents } from './compression/compressed-events.js';
import { WINDOW_BITS } from './compression/deflate.js';
import { Inflation } from './compression/inflation.js';
import { compressionOffer, type Offer } from './compression/offer.js';
import { type EventFormats, PLAIN_FORMATS } from './event-formats.js';
import { FirstFrameLimit } from './first-frame-limit.js';
import { Incoming } from './incoming.js';
import { PendingClients, TOO_MANY_PENDING } from './pending-clients.js';
import { FramesLink, PlainLink, WebSocketLink } from './websocket-link.js';

/** The largest message of a plain client on a route without message handlers, where messages are dropped. */
const MAX_UNREAD_BYTES = 16_384;

/** The same for `pregon.v1`, where the message may be a `subscribe` with as many patterns as a connection may have. */
const MAX_CONTROL_BYTES = 327_680;

/** The id of the only subscription of a plain connection. */
const THE_SUBSCRIPTION = 0;

/** The minimum limits on the fragments of a message, and on its received pieces, whatever the message limit is. */
const LEAST_FRAGMENTS = 64;
const LEAST_CHUNKS = 4_096;

type ClientServer = Server<typeof ClientSocket>;

/** Handles upgrade requests. `ws` performs the handshake and reads from clients; our links write to them. */
export class WebSocketUpgrade {
  readonly #registry: ClientRegistry;
  readonly #limits: FrameLimits;
  readonly #firstFrames: FirstFrameLimit;
  readonly #incoming: Incoming;
  readonly #pending: PendingClients;
  readonly #server: ClientServer;
  /** Accepts permessage-deflate. Used only if the client offered it and the route compresses. */
  readonly #compressing: ClientServer;
  /** By threshold: routes with the same threshold share the compressed frames. */
  readonly #compressed = new Map<number, CompressedEvents>();

  constructor(registry: ClientRegistry, limits: FrameLimits) {
    this.#registry = registry;
    this.#limits = limits;
    this.#firstFrames = new FirstFrameLimit(registry.options.clock);
    this.#incoming = new Incoming(registry, limits, this.#firstFrames);
    this.#pending = new PendingClients(registry, this.#firstFrames);
    this.#server = createServer(limits.maxFrameBytes, false);
    this.#compressing = createServer(limits.maxFrameBytes, {
      // serverNoContextTakeover is not set: the offer decides whether our messages may refer to earlier ones.
      clientNoContextTakeover: true,
      serverMaxWindowBits: WINDOW_BITS,
    });
  }

  /** Handles an `upgrade` event. A stream that is not a socket of the operating system is refused. */
  handle(request: IncomingMessage, stream: Duplex, head: Buffer): void | Promise<void> {
    if (!(stream instanceof Socket)) return void stream.destroy();
    guard(stream);
    const verdict = this.#registry.admit(request);
    if (verdict instanceof Promise) return verdict.then((late) => this.#decided(late, request, stream, head));
    this.#decided(verdict, request, stream, head);
  }

  /** Ends all remaining connections at once, without a close frame. */
  destroy(): void {
    this.#pending.destroy();
    for (const { link } of this.#registry.connections) if (link instanceof WebSocketLink) link.terminate();
  }

  #decided(verdict: RouteVerdict, request: IncomingMessage, socket: Socket, head: Buffer): void {
    const wrong = wrongHandshake(request);
    if (!('route' in verdict)) return this.#notAdmitted(request, socket, verdict, wrong ? undefined : head);
    if (wrong) return this.#refuse(request, socket, wrong);
    this.#accept(request, socket, head, verdict.route, (client, formats) => {
      this.#limit(client, this.#maxMessageBytes(client, verdict.route));
      const connection = this.#enter(client, socket, request, verdict, formats);
      if (connection.link instanceof FramesLink) this.#firstFrames.expect(connection.link);
      else subscribe(connection, verdict.query, this.#registry.options);
    });
  }

  /** Completes the handshake, with compression if the route has it and the client offers it. */
  #accept(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    { compression }: ServedRoute,
    accepted: (client: ClientSocket, formats: EventFormats) => void,
  ): void {
    internUrlAndHeaders(request);
    const offer = compression && compressionOffer(request.headers['sec-websocket-extensions']);
    const formats = compression && offer ? this.#formatsFor(compression, offer) : PLAIN_FORMATS;
    const server = offer ? this.#compressing : this.#server;
    server.handleUpgrade(request, socket, head, (client) => {
      unguard(socket);
      accepted(client, client.extensions === '' ? PLAIN_FORMATS : formats);
    });
  }

  /** Limits what is read from a client. */
  #limit(client: ClientSocket, maxBytes: number): void {
    client.pace(this.#registry.options.intake, maxBytes);
    if (client.extensions !== '') Inflation.install(client, maxBytes);
  }

  /**
   * A client of `pregon.v1` that lacks a token may still show one, in its first frame.
   *
   * @param head given if the handshake is valid
   */
  #notAdmitted(request: IncomingMessage, socket: Socket, refusal: Refusal, head?: Buffer): void {
    const route = refusal.awaitsToken && offersFrames(request) ? this.#registry.routeOf(request) : undefined;
    if (!head || !route) return this.#refuse(request, socket, refusal, head);
    if (!this.#pending.hasRoom) return this.#refuse(request, socket, TOO_MANY_PENDING);
    this.#accept(request, socket, head, route, (client, formats) => {
      this.#limit(client, MAX_PENDING_BYTES);
      this.#pending.add({
        client,
        socket,
        request,
        route,
        refusal,
        decided: ({ identity, rights }, { id }) => {
          this.#limit(client, this.#maxMessageBytes(client, route));
          const connection = this.#enter(client, socket, request, { route, identity, rights }, formats);
          if (connection.link instanceof FramesLink) connection.link.spoke();
          this.#registry.tellAuthorized(connection, id);
        },
      });
    });
  }

  /** @param head given if the handshake is valid, so that the refusal can be told by a close code */
  #refuse(request: IncomingMessage, socket: Socket, refusal: Refusal, head?: Buffer): void {
    logRefusal(this.#registry.options.refusals, request, refusal);
    if (!head || !hasCloseCode(refusal) || !this.#isToldByCloseCode(request)) return refuseUpgrade(socket, refusal);
    const { intake } = this.#registry.options;
    this.#server.handleUpgrade(request, socket, head, (client) => closeRefused(client, socket, intake, refusal));
  }

  /** A page in a browser sends an `Origin`, and cannot read the status of a handshake. */
  #isToldByCloseCode(request: IncomingMessage): boolean {
    const { headers } = request;
    if (offersFrames(request)) return true;
    return headers.origin !== undefined && this.#registry.options.origins.allows(headers);
  }

  /** Only routes with message handlers accept large messages. */
  #maxMessageBytes({ protocol }: ClientSocket, { takesMessages }: ServedRoute): number {
    const { maxFrameBytes } = this.#limits;
    if (takesMessages) return maxFrameBytes;
    return Math.min(maxFrameBytes, protocol === SUBPROTOCOL ? MAX_CONTROL_BYTES : MAX_UNREAD_BYTES);
  }

  /**
   * Separate from `#decided`, because closures that are created here live as long as the connection. Within `#decided`
   * they would keep its whole scope, including the request.
   */
  #enter(
    client: ClientSocket,
    socket: Socket,
    request: IncomingMessage,
    admitted: Omit<Admitted, 'query'>,
    formats: EventFormats,
  ): ClientConnection {
    const { maxBufferedBytes } = this.#registry.options;
    const Link = client.protocol === SUBPROTOCOL ? FramesLink : PlainLink;
    const link = new Link(client, socket, maxBufferedBytes, formats);
    const connection = this.#registry.enter(admitted, request, link);
    link.connection = connection;
    client.tell(this.#incoming, connection);
    forgetPeerName(socket);
    return connection;
  }

  #formatsFor({ thresholdBytes }: Compression, { remembers }: Offer): EventFormats {
    const formats = this.#compressed.get(thresholdBytes) ?? new CompressedEvents(thresholdBytes);
    this.#compressed.set(thresholdBytes, formats);
    return remembers ? formats.remembered : formats;
  }
}

function offersFrames({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  return offered.includes(SUBPROTOCOL);
}

function createServer(maxFrameBytes: number, perMessageDeflate: PerMessageDeflateOptions | false): ClientServer {
  const options = {
    noServer: true,
    clientTracking: false,
    autoPong: false,
    WebSocket: ClientSocket,
    perMessageDeflate,
    maxPayload: maxFrameBytes,
    // Browsers send fragments of 128 KiB. Smaller or empty fragments cost parsing without ever completing a message.
    maxFragments: Math.max(LEAST_FRAGMENTS, Math.ceil(maxFrameBytes / 1_024)),
    maxBufferedChunks: Math.max(LEAST_CHUNKS, Math.ceil(maxFrameBytes / 256)),
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: (offered: Set<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  } as const;
  return new WebSocketServer(options);
}

function subscribe(connection: ClientConnection, query: Query, limits: SubscriptionLimits): void {
  try {
    assertQuery(query, limits);
    connection.subscribe(THE_SUBSCRIPTION, query.topics, query.since);
  } catch (error) {
    connection.refuse(THE_SUBSCRIPTION, error);
  }
}
