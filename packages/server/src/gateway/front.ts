import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PregonError } from '@pregon/protocol';
import { systemClock } from '../core/clock.js';
import type { Entrance } from '../transports/entrance.js';
import { refuseRequest, refuseUpgrade } from '../transports/refusal.js';
import type { ListenOptions } from './gateway.js';
import { HandshakePace, type Visitor } from './handshake-pace.js';
import { Newcomers } from './newcomers.js';

/** How often a server looks for clients that are late with their handshake. */
const LATE_CHECK_MS = 1_000;

/**
 * How many connections the kernel keeps until they are accepted, which is one in a turn of the event loop. To one too many it does not answer,
 * and its client asks again after a second, then after two more. Linux allows 4,096 where net.core.somaxconn is as it comes.
 */
const BACKLOG = 4_096;

/** Who is attached to a server, in order. */
const attachedTo = new WeakMap<Server, Set<Front>>();

/** The servers through which clients reach the entrances: one of its own, and any that it was attached to. */
export class Front {
  /** Takes what no other knows. */
  readonly #main: Entrance;
  readonly #others: Entrance[] = [];
  readonly #handshakeTimeoutMs: number;
  /** Of its own server. */
  readonly #newcomers = new Newcomers();
  readonly #pace: HandshakePace;
  /** Whose request waits for its turn. */
  readonly #waiting = new WeakSet<Duplex>();
  #server: Server | undefined;
  /** All of its own server: also those that are amid a handshake. */
  readonly #sockets = new Set<Socket>();
  readonly #detach: (() => void)[] = [];

  constructor(main: Entrance, limits: { handshakeTimeoutMs: number }) {
    this.#main = main;
    this.#handshakeTimeoutMs = limits.handshakeTimeoutMs;
    const { handshakeTimeoutMs: patienceMs } = limits;
    this.#pace = new HandshakePace({ clock: systemClock, unread: this.#newcomers, patienceMs });
  }

  /** Another way in, on all servers. */
  add(entrance: Entrance): void {
    this.#others.push(entrance);
  }

  /** @throws PregonError LISTEN_FAILED; CONFIG_INVALID where certificate or key is none */
  async listen(options: ListenOptions): Promise<{ host: string; port: number }> {
    if (this.#server) throw new TypeError('it listens already, on a port of its own');
    const { host = '127.0.0.1', port = 1234 } = options;
    const server = this.#createServer(options);
    const sockets = this.#sockets;
    // One for all: one for each would be what every idle connection pays for.
    function forget(this: Socket) {
      sockets.delete(this);
    }
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', forget);
    });
    server.on(options.cert === undefined ? 'connection' : 'secureConnection', (socket) => this.#newcomers.add(socket));
    server.on('request', (request, response) => this.#request(request, response));
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    await bind(server, host, port);
    this.#server = server;
    const address = server.address();
    return { host, port: typeof address === 'object' && address ? address.port : port };
  }

  /** Takes the entrances' paths on an existing server, and leaves it all others. */
  attach(server: Server): void {
    const others = server.listeners('request').filter(isRequestListener);
    const fronts = attachedTo.get(server) ?? new Set<Front>();
    attachedTo.set(server, fronts.add(this));
    const request = (incoming: IncomingMessage, response: ServerResponse) => {
      if (fronts.has(this) && this.#knows(incoming)) this.#request(incoming, response);
      else for (const other of others) other.call(server, incoming, response);
    };
    const upgrade = (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (this.#knows(incoming)) this.#upgrade(incoming, socket, head);
      else if (isLeftToUs(server, fronts, this) && ![...fronts].some((front) => front.#knows(incoming))) {
        refuseUpgrade(socket, { status: 404, message: 'nothing is here' });
      }
    };
    server.removeAllListeners('request');
    server.on('request', request);
    server.on('upgrade', upgrade);
    this.#detach.push(() => {
      fronts.delete(this);
      server.off('upgrade', upgrade);
      // Where another was attached later, that one has the listener, which passes all on from now.
      if (!server.listeners('request').includes(request)) return;
      server.off('request', request);
      for (const other of others) server.on('request', other);
    });
  }

  /** Takes no new connections on a port of its own; those there are go on. Where it is attached, and who waits, the door answers. */
  close(): void {
    this.#pace.release();
    this.#server?.close();
  }

  /** Ends what is left, and leaves the servers that it was attached to with their own connections. */
  destroy(): void {
    for (const detach of this.#detach.splice(0)) detach();
    this.#pace.release();
    for (const entrance of [this.#main, ...this.#others]) entrance.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    this.#newcomers.delete(request.socket);
    const entrance = this.#whose(request);
    const wantsStream = request.headers.accept?.includes('text/event-stream') === true;
    // Behind another answer no stream begins: after a wait, that one might be over, or not.
    const isVain = wantsStream && response.socket === null;
    if (!entrance.arrives(request) || isVain || this.#pace.isFree) return entrance.request(request, response);
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
    this.#newcomers.delete(request.socket);
    const entrance = this.#whose(request);
    if (!entrance.arrives(request) || this.#pace.isFree) return entrance.upgrade(request, socket, head);
    // Nobody else listens on the bare socket: one that breaks while it waits would end the process.
    const gone = () => socket.destroy();
    socket.on('error', gone);
    this.#wait(socket, {
      proceed() {
        socket.off('error', gone);
        entrance.upgrade(request, socket, head);
      },
      refuse: (refusal) => refuseUpgrade(socket, refusal),
    });
  }

  /** Who sends more before the first was answered would take thousands of places that others need. */
  #wait(socket: Duplex, { proceed, refuse }: Pick<Visitor, 'proceed' | 'refuse'>): void {
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

  #knows({ url }: IncomingMessage): boolean {
    return this.#main.knows(url) || this.#others.some((entrance) => entrance.knows(url));
  }

  #whose({ url }: IncomingMessage): Entrance {
    return this.#others.find((entrance) => entrance.knows(url)) ?? this.#main;
  }

  #createServer({ cert, key }: ListenOptions): Server {
    const timeouts = {
      headersTimeout: this.#handshakeTimeoutMs,
      requestTimeout: this.#handshakeTimeoutMs,
      connectionsCheckingInterval: LATE_CHECK_MS,
    };
    if (cert === undefined && key === undefined) return createServer(timeouts);
    if (cert === undefined || key === undefined) throw new TypeError('TLS needs both cert and key');
    const pem = { cert: Buffer.from(cert), key: Buffer.from(key) };
    try {
      return createTlsServer({ ...timeouts, ...pem, handshakeTimeout: this.#handshakeTimeoutMs });
    } catch (cause) {
      // What OpenSSL says ("no start line") does not say of what.
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new PregonError('CONFIG_INVALID', `cert and key cannot be used: ${why}`, { cause });
    }
  }
}

/** Whether nobody but fronts listens for upgrades, and this is the one of them that answers what none knows. */
function isLeftToUs(server: Server, fronts: ReadonlySet<Front>, front: Front): boolean {
  return server.listenerCount('upgrade') === fronts.size && fronts.values().next().value === front;
}

function isRequestListener(listener: unknown): listener is RequestListener {
  return typeof listener === 'function';
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      reject(new PregonError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${why}`, { cause: error }));
    };
    server.once('error', failed);
    server.listen(port, host, BACKLOG, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
