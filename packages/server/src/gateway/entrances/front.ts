import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clients } from '../../core/admission/clients.js';
import type { Refusal } from '../../core/ports/admission.js';
import type { RefusalLog } from '../../core/refusals/refusal-log.js';
import { systemClock } from '../../core/time/clock.js';
import type { Entrance } from '../../transports/entrance.js';
import { type Claim, overlap } from '../../transports/http/claim.js';
import { logRefusal, refuseRequest, refuseUpgrade } from '../../transports/http/refusal.js';
import type { ListenOptions } from '../gateway.js';
import { type AttachableServer, assertServer } from '../server/attachable-server.js';
import { bind, createOwnServer, type OwnServerLimits } from '../server/own-server.js';
import { SharedServer, type Tenant } from '../server/shared-server.js';
import { HandshakePace, type WaitingHandshake } from './handshake-pace.js';
import { PendingHandshakes } from './pending-handshakes.js';

/**
 * A parser that drops a fragment and one that does not would read different queries, and so see different clients: a
 * request target has no fragment (RFC 9112 section 3.2).
 */
const FRAGMENT: Refusal = {
  status: 400,
  reason: 'target',
  message: 'the request target has a fragment',
  remedy: 'a client must not send the part of a URL behind #',
};

/** A server through which clients connect, and the entrances that it serves. */
interface Attachment {
  readonly shared: SharedServer;
  readonly tenant: Tenant;
  /** The only entrance that this server serves; undefined if it serves all. */
  readonly only: Entrance | undefined;
}

export interface FrontOptions {
  readonly limits: OwnServerLimits;
  readonly refusals: RefusalLog;
  readonly clients: Pick<Clients, 'keep'>;
  /** Called with each request, before an entrance or a log line sees it. */
  readonly onArrival?: ((request: IncomingMessage) => void) | undefined;
}

/**
 * The servers through which clients reach the entrances: the gateway's own server, and servers that it is attached to.
 */
export class Front {
  /** Handles requests that no other entrance knows. */
  readonly #main: Entrance;
  readonly #others: Entrance[] = [];
  readonly #limits: OwnServerLimits;
  readonly #refusals: RefusalLog;
  readonly #clients: FrontOptions['clients'];
  readonly #onArrival: FrontOptions['onArrival'];
  /** Connections of the gateway's own server. */
  readonly #pendingHandshakes = new PendingHandshakes();
  readonly #pace: HandshakePace;
  /** Connections with a request that waits for its turn. */
  readonly #waiting = new WeakSet<Duplex>();
  #server: Server | undefined;
  /** True from the call of `listen`, before the port is open. */
  #isListening = false;
  /** All sockets of the gateway's own server, also those whose handshake is pending. */
  readonly #sockets = new Set<Socket>();
  readonly #attachments = new Map<AttachableServer, Attachment>();
  #isLeaving = false;

  constructor(main: Entrance, { limits, refusals, clients, onArrival }: FrontOptions) {
    this.#main = main;
    this.#clients = clients;
    this.#onArrival = onArrival;
    this.#limits = limits;
    this.#refusals = refusals;
    const { handshakeTimeoutMs: maxWaitMs } = limits;
    this.#pace = new HandshakePace({ clock: systemClock, unread: this.#pendingHandshakes, maxWaitMs });
  }

  /** Adds an entrance on all servers. @throws TypeError if another entrance has one of its paths */
  add(entrance: Entrance): void {
    for (const claim of entrance.claims) this.assertFree(claim, entrance);
    this.#others.push(entrance);
  }

  /** @throws TypeError if another entrance, or another gateway on one of the servers, has a path of the claim */
  assertFree(claim: Claim, entrance: Entrance): void {
    for (const other of [this.#main, ...this.#others]) {
      const taken = other === entrance ? undefined : other.claims.find((candidate) => overlap(claim, candidate));
      if (taken) throw new TypeError(`${claim.text} cannot be mounted: ${taken.text} already uses the path`);
    }
    for (const { shared, tenant } of this.#attachments.values()) shared.assertFree(claim, tenant);
  }

  /** @throws PregonError LISTEN_FAILED; CONFIG_INVALID if the certificate or key is not valid */
  async listen(options: ListenOptions): Promise<{ host: string; port: number }> {
    if (this.#isListening)
      throw new TypeError('the gateway already listens on a port of its own; use attach() to add other servers');
    const { host = '127.0.0.1', port = 1234 } = options;
    const server = createOwnServer(options, this.#limits);
    this.#isListening = true;
    const sockets = this.#sockets;
    const pendingHandshakes = this.#pendingHandshakes;
    // One function for all sockets: a closure for each would cost memory for every idle connection.
    function forget(this: Socket) {
      sockets.delete(this);
      pendingHandshakes.delete(this);
    }
    const isSecure = options.cert !== undefined;
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', forget);
      if (!isSecure) pendingHandshakes.add(socket);
    });
    // With TLS, requests are read from a second socket on top of the TCP socket.
    if (isSecure) {
      server.on('secureConnection', (socket) => {
        socket.on('close', forget);
        pendingHandshakes.add(socket);
      });
    }
    SharedServer.of(server).add(this.#tenant(() => true));
    await bind(server, host, port).catch((error: unknown) => {
      this.#isListening = false;
      throw error;
    });
    this.#server = server;
    const address = server.address();
    return { host, port: typeof address === 'object' && address ? address.port : port };
  }

  /**
   * Serves the paths of the entrances on an existing server, and leaves all other paths to it. Does nothing if it is
   * already attached to the server.
   *
   * @param only the only entrance to serve there. Default: all entrances
   * @throws TypeError if another gateway on this server has one of the paths
   */
  attach(server: AttachableServer, only?: Entrance): void {
    assertServer(server);
    const before = this.#attachments.get(server);
    if (server === this.#server || (before && (only || !before.only))) return;
    const shared = SharedServer.of(server);
    const tenant = only
      ? this.#tenant((target) => only.knows(target), [only])
      : this.#tenant((target) => this.#find(target) !== undefined);
    before?.shared.remove(before.tenant);
    try {
      shared.add(tenant);
    } catch (error) {
      before?.shared.add(before.tenant);
      throw error;
    }
    this.#attachments.set(server, { shared, tenant, only });
  }

  /** Detaches from a server that serves only this entrance. */
  detach(server: AttachableServer, only: Entrance): void {
    const attachment = this.#attachments.get(server);
    if (attachment?.only !== only) return;
    this.#attachments.delete(server);
    attachment.shared.remove(attachment.tenant);
  }

  /** The gateway's own server, or else the first server that it is attached to. */
  get server(): AttachableServer | undefined {
    const [attached] = this.#attachments.keys();
    return this.#server ?? attached;
  }

  /** Calls back in a later event loop turn, at the same pace at which new clients are admitted. */
  whenFree(resume: () => void): void {
    this.#pace.wait({ isGone: false, proceed: resume, refuse: resume });
  }

  /** From now on, another gateway may use the same paths on the attached servers. */
  leave(): void {
    this.#isLeaving = true;
  }

  /**
   * Stops accepting connections on the gateway's own port; existing connections continue. Waiting handshakes, and
   * requests on attached servers, still go to the registry, which refuses new clients.
   */
  close(): void {
    this.#pace.release();
    this.#server?.close();
  }

  /** Destroys the remaining connections, and detaches from all servers. Other connections of those servers continue. */
  destroy(): void {
    for (const { shared, tenant } of this.#attachments.values()) shared.remove(tenant);
    this.#attachments.clear();
    this.#pace.release();
    for (const entrance of [this.#main, ...this.#others]) entrance.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #tenant(owns: Tenant['owns'], only?: readonly Entrance[]): Tenant {
    const front = this;
    return {
      get claims() {
        return (only ?? [front.#main, ...front.#others]).flatMap(({ claims }) => claims);
      },
      get isLeaving() {
        return front.#isLeaving;
      },
      owns,
      request: (request, response) => this.#request(request, response),
      upgrade: (request, socket, head) => this.#upgrade(request, socket, head),
      refused: (request, refusal) => {
        const remedy = `the gateway serves ${this.#claims(only)}`;
        logRefusal(this.#refusals, request, { ...refusal, remedy });
      },
    };
  }

  #claims(only: readonly Entrance[] | undefined): string {
    const claims = (only ?? [this.#main, ...this.#others]).flatMap((entrance) => entrance.claims);
    return claims.map(({ text }) => text).join(', ') || 'no path';
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    this.#onArrival?.(request);
    this.#pendingHandshakes.delete(request.socket);
    if (request.url?.includes('#')) {
      logRefusal(this.#refusals, request, FRAGMENT);
      return refuseRequest(response, FRAGMENT, { Connection: 'close' });
    }
    const entrance = this.#find(request.url) ?? this.#main;
    // Only sessions of long polling have a body that is read. For other requests the connection ends with the response,
    // instead of waiting for the rest of the body.
    if (hasBody(request) && entrance.arrives(request)) response.setHeader('Connection', 'close');
    const wantsStream = request.headers.accept?.includes('text/event-stream') === true;
    // A pipelined request for a stream is not queued here: after a wait, the earlier response might have ended, or not.
    const isBehindAnswer = wantsStream && response.socket === null;
    if (!entrance.arrives(request)) return entrance.request(request, response);
    const enter = () => {
      // A pipelined request cannot become a stream; its response has no socket, and may never emit `close`.
      if (response.socket !== null) this.#clients.keep(request, response);
      entrance.request(request, response);
    };
    if (isBehindAnswer || this.#pace.isFree) return enter();
    const { socket } = request;
    this.#wait(socket, {
      proceed: enter,
      refuse(refusal) {
        // An EventSource gives up after any status other than 200, but reconnects after a broken connection.
        if (wantsStream) socket.destroy();
        else refuseRequest(response, refusal);
      },
    });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#onArrival?.(request);
    this.#pendingHandshakes.delete(request.socket);
    if (request.url?.includes('#')) {
      logRefusal(this.#refusals, request, FRAGMENT);
      return refuseUpgrade(socket, FRAGMENT);
    }
    const entrance = this.#find(request.url) ?? this.#main;
    if (!entrance.arrives(request)) return entrance.upgrade(request, socket, head);
    const enter = () => {
      this.#clients.keep(request, socket);
      entrance.upgrade(request, socket, head);
    };
    if (this.#pace.isFree) return enter();
    this.#wait(socket, {
      proceed: enter,
      refuse: (refusal) => refuseUpgrade(socket, refusal),
    });
  }

  /**
   * A client that sends more requests before the first is answered would take thousands of places in the queue, so its
   * connection ends.
   */
  #wait(socket: Duplex, { proceed, refuse }: Pick<WaitingHandshake, 'proceed' | 'refuse'>): void {
    const waiting = this.#waiting;
    if (waiting.has(socket)) return void socket.destroy();
    waiting.add(socket);
    this.#pace.wait({
      get isGone() {
        return socket.destroyed;
      },
      proceed() {
        waiting.delete(socket);
        proceed();
      },
      refuse(refusal) {
        waiting.delete(socket);
        refuse(refusal);
      },
    });
  }

  #find(target: string | undefined): Entrance | undefined {
    const other = this.#others.find((entrance) => entrance.knows(target));
    return other ?? (this.#main.knows(target) ? this.#main : undefined);
  }
}

/** @see RFC 9112 section 6 */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
