import { rmdirSync, rmSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Entrance, Siblings } from '../transports/entrance.js';
import type { Claim } from '../transports/http/claim.js';
import { guard } from '../transports/sockets/guarded-socket.js';
import { headOf, passOn, pipeOn } from './pass-on.js';
import { privateSocket, restoreClient } from './private-socket.js';
import { namesSession, newSessionId, ownerOf } from './session-id.js';
import type { Worker } from './worker.js';

/** More than a server takes from clients, because the client's address is added to its headers. */
const MAX_HEADER_BYTES = 64 * 1024;

/** How many idle connections to other workers are kept open. */
const MAX_FREE_CONNECTIONS = 64;

/** The part of a worker that an entrance uses. */
type Colleague = Pick<Worker, 'place' | 'hand' | 'onTaken'>;

/** The other workers, as a gateway in one worker sees them. */
export class WorkerSiblings implements Siblings {
  readonly #worker: Colleague;

  constructor(worker: Colleague) {
    this.#worker = worker;
  }

  newSessionId(): string {
    return newSessionId(this.#worker.place.number);
  }

  share(own: Entrance): Entrance {
    return new SharedEntrance(own, this.#worker);
  }
}

/** The entrance of one of several workers. It forwards requests for a session of another worker to that worker. */
class SharedEntrance implements Entrance {
  readonly #own: Entrance;
  readonly #worker: Colleague;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: MAX_FREE_CONNECTIONS });
  /** The server to which other workers forward requests for sessions of this worker. */
  readonly #privately: Server;
  /** Never listens: it parses the handshakes of sockets that other workers handed over. */
  readonly #handed = createServer();
  readonly #path: string;

  /** Removes the socket and the folder. The workers must do so in case the primary was killed. */
  readonly #leave = () => {
    try {
      rmSync(this.#path, { force: true });
      rmdirSync(this.#worker.place.folder);
    } catch {
      // Other workers still use the folder, or it is already removed.
    }
  };

  constructor(own: Entrance, worker: Colleague) {
    this.#own = own;
    this.#worker = worker;
    this.#path = privateSocket(worker.place.folder, worker.place.number);
    this.#privately = this.#listen();
    this.#handed.on('upgrade', (request, stream, head) => {
      guard(stream);
      own.upgrade(request, stream, head);
    });
    worker.onTaken = (socket, head) => {
      socket.unshift(head);
      this.#handed.emit('connection', socket);
    };
    process.once('exit', this.#leave);
  }

  get claims(): readonly Claim[] {
    return this.#own.claims;
  }

  knows(target: string | undefined): boolean {
    return this.#own.knows(target);
  }

  arrives(request: IncomingMessage): boolean {
    // A session of another worker is unknown here, so its requests are forwarded.
    const goesOn = namesSession(request.url) && this.#pathOfOther(request) !== undefined;
    return !goesOn && this.#own.arrives(request);
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const path = this.#pathOfOther(request);
    // This worker answers that the session is unknown, and the client connects with a new one.
    const onGone = () => this.#own.request(request, response);
    if (path === undefined) onGone();
    else passOn(request, response, { path, onGone }, this.#agent);
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const path = this.#pathOfOther(request);
    const owner = ownerOf(request.url);
    const onGone = () => this.#own.upgrade(request, stream, head);
    if (path === undefined || owner === undefined) onGone();
    else if (stream instanceof Socket && !(stream instanceof TLSSocket)) {
      this.#worker.hand(owner, stream, Buffer.concat([headOf(request, request.rawHeaders), head]));
    } else pipeOn(request, stream, head, { path, onGone });
  }

  destroy(): void {
    process.off('exit', this.#leave);
    this.#own.destroy();
    this.#agent.destroy();
    this.#privately.close();
    this.#privately.closeAllConnections();
  }

  #pathOfOther({ url }: IncomingMessage): string | undefined {
    const { number, folder } = this.#worker.place;
    const owner = ownerOf(url);
    return owner === undefined || owner === number ? undefined : privateSocket(folder, owner);
  }

  #listen(): Server {
    // The worker that forwards a request enforces the timeouts and keeps the connections alive.
    const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0, maxHeaderSize: MAX_HEADER_BYTES });
    server.on('request', (request, response) => {
      restoreClient(request);
      this.#own.request(request, response);
    });
    server.on('upgrade', (request, stream, head) => {
      guard(stream);
      restoreClient(request);
      this.#own.upgrade(request, stream, head);
    });
    // A worker that was killed leaves its socket behind.
    rmSync(this.#path, { force: true });
    // `exclusive` keeps this socket out of the cluster's shared ports: each worker has its own.
    server.listen({ path: this.#path, exclusive: true });
    return server;
  }
}
