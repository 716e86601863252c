import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
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

/** A server that clients come by, and which entrances are open there. */
interface Attachment {
  readonly shared: SharedServer;
  readonly tenant: Tenant;
  /** The only entrance that is open there; undefined if all are. */
  readonly only: Entrance | undefined;
}

/** The servers through which clients reach the entrances: one of its own, and any that it was attached to. */
export class Front {
  /** Takes what no other knows. */
  readonly #main: Entrance;
  readonly #others: Entrance[] = [];
  readonly #limits: OwnServerLimits;
  readonly #refusals: RefusalLog;
  /** Of its own server. */
  readonly #pendingHandshakes = new PendingHandshakes();
  readonly #pace: HandshakePace;
  /** Whose request waits for its turn. */
  readonly #waiting = new WeakSet<Duplex>();
  #server: Server | undefined;
  /** All of its own server: also those that are amid a handshake. */
  readonly #sockets = new Set<Socket>();
  readonly #attachments = new Map<AttachableServer, Attachment>();
  #isLeaving = false;

  constructor(main: Entrance, limits: OwnServerLimits, refusals: RefusalLog) {
    this.#main = main;
    this.#limits = limits;
    this.#refusals = refusals;
    const { handshakeTimeoutMs: maxWaitMs } = limits;
    this.#pace = new HandshakePace({ clock: systemClock, unread: this.#pendingHandshakes, maxWaitMs });
  }

  /** Another way in, on all servers. @throws TypeError if a path of it is another's */
  add(entrance: Entrance): void {
    for (const claim of entrance.claims) this.assertFree(claim, entrance);
    this.#others.push(entrance);
  }

  /** @throws TypeError if the claim of an entrance has a path in common with another entrance, or with another gateway on a server */
  assertFree(claim: Claim, entrance: Entrance): void {
    for (const other of [this.#main, ...this.#others]) {
      const taken = other === entrance ? undefined : other.claims.find((candidate) => overlap(claim, candidate));
      if (taken) throw new TypeError(`${claim.text} cannot be mounted: ${taken.text} is there already`);
    }
    for (const { shared, tenant } of this.#attachments.values()) shared.assertFree(claim, tenant);
  }

  /** @throws PregonError LISTEN_FAILED; CONFIG_INVALID where certificate or key is none */
  async listen(options: ListenOptions): Promise<{ host: string; port: number }> {
    if (this.#server) throw new TypeError('it listens already, on a port of its own');
    const { host = '127.0.0.1', port = 1234 } = options;
    const server = createOwnServer(options, this.#limits);
    const sockets = this.#sockets;
    const pendingHandshakes = this.#pendingHandshakes;
    // One for all: one for each would be what every idle connection pays for.
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
    // What is read of TLS is another socket, upon that of the operating system.
    if (isSecure) {
      server.on('secureConnection', (socket) => {
        socket.on('close', forget);
        pendingHandshakes.add(socket);
      });
    }
    SharedServer.of(server).add(this.#tenant(() => true));
    await bind(server, host, port);
    this.#server = server;
    const address = server.address();
    return { host, port: typeof address === 'object' && address ? address.port : port };
  }

  /**
   * Takes the entrances' paths on an existing server, and leaves it all others. Without effect for a server that it is attached to.
   *
   * @param only the only entrance that is to be open there. @default all
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

  /** Leaves a server that is attached for this entrance alone. */
  detach(server: AttachableServer, only: Entrance): void {
    const attachment = this.#attachments.get(server);
    if (attachment?.only !== only) return;
    this.#attachments.delete(server);
    attachment.shared.remove(attachment.tenant);
  }

  /** Its own server, else the first one that it is attached to. */
  get server(): AttachableServer | undefined {
    const [attached] = this.#attachments.keys();
    return this.#server ?? attached;
  }

  /** Calls back in a later turn of the event loop, at the pace at which new clients are admitted. */
  whenFree(resume: () => void): void {
    this.#pace.wait({ isGone: false, proceed: resume, refuse: resume });
  }

  /** From now on another gateway may take its paths on the servers that it is attached to. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Takes no new connections on a port of its own; those there are go on. Where it is attached, and who waits, the registry answers. */
  close(): void {
    this.#pace.release();
    this.#server?.close();
  }

  /** Ends what is left, and leaves the servers that it was attached to with their own connections. */
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
        const remedy = `the gateway takes ${this.#claims(only)}`;
        logRefusal(this.#refusals, request, { ...refusal, remedy });
      },
    };
  }

  #claims(only: readonly Entrance[] | undefined): string {
    const claims = (only ?? [this.#main, ...this.#others]).flatMap((entrance) => entrance.claims);
    return claims.map(({ text }) => text).join(', ') || 'no path';
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    this.#pendingHandshakes.delete(request.socket);
    const entrance = this.#find(request.url) ?? this.#main;
    // Nobody reads a body but that of a session: the connection ends with the answer, and does not wait for the rest of it.
    if (hasBody(request) && entrance.arrives(request)) response.setHeader('Connection', 'close');
    const wantsStream = request.headers.accept?.includes('text/event-stream') === true;
    // Behind another answer no stream begins: after a wait, that one might be over, or not.
    const isBehindAnswer = wantsStream && response.socket === null;
    if (!entrance.arrives(request) || isBehindAnswer || this.#pace.isFree) return entrance.request(request, response);
    const { socket } = request;
    this.#wait(socket, {
      proceed: () => entrance.request(request, response),
      refuse(refusal) {
        // An EventSource asks no more after any status but 200; after a connection that broke, it does.
        if (wantsStream) socket.destroy();
        else refuseRequest(response, refusal);
      },
    });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#pendingHandshakes.delete(request.socket);
    const entrance = this.#find(request.url) ?? this.#main;
    if (!entrance.arrives(request) || this.#pace.isFree) return entrance.upgrade(request, socket, head);
    this.#wait(socket, {
      proceed: () => entrance.upgrade(request, socket, head),
      refuse: (refusal) => refuseUpgrade(socket, refusal),
    });
  }

  /** Who sends more before the first was answered would take thousands of places that others need. */
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
