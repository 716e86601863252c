import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Claim } from '../../transports/http/claim.js';
import { refuseUpgrade } from '../../transports/http/refusal.js';
import { type AttachableServer, assertServer } from '../server/attachable-server.js';
import { SharedServer, type Tenant } from '../server/shared-server.js';

/** The most requests that may wait for a gateway to start: about 50 MB of requests and sockets. */
const MOST_WAITING = 10_000;

/**
 * Holds requests for the paths of a gateway that is still starting, and leaves all other paths to the server. Otherwise
 * the application would answer them with 404, after which an EventSource never reconnects.
 */
export class EarlyRequests implements Tenant {
  readonly claims: readonly Claim[];
  readonly isLeaving = false;
  readonly owns: (target: string | undefined) => boolean;
  readonly #server: AttachableServer;
  /** By connection. */
  readonly #waiting = new Map<Duplex, (() => void)[]>();
  #count = 0;
  readonly #mostWaiting: number;

  /** @throws TypeError if another gateway on this server has one of the paths */
  constructor(
    server: AttachableServer,
    claims: readonly Claim[],
    owns: (target: string | undefined) => boolean,
    mostWaiting: number = MOST_WAITING,
  ) {
    assertServer(server);
    this.#mostWaiting = mostWaiting;
    this.claims = claims;
    this.owns = owns;
    this.#server = server;
    SharedServer.of(server).add(this);
  }

  /**
   * Gives the paths back to the server.
   * @returns a function that passes the waiting requests on to the next listener of the paths
   */
  release(): () => void {
    SharedServer.of(this.#server).remove(this);
    return () => {
      const waiting = [...this.#waiting.values()].flat();
      this.#waiting.clear();
      for (const proceed of waiting) proceed();
    };
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    this.#wait(request.socket, () => this.#server.emit('request', request, response));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#wait(socket, () => {
      const taken = this.#server.emit('upgrade', request, socket, head);
      if (!taken) refuseUpgrade(socket, { status: 503, message: 'the gateway could not be started' });
    });
  }

  #wait(socket: Duplex, proceed: () => void): void {
    if (this.#count >= this.#mostWaiting || socket.destroyed) return void socket.destroy();
    const ofSocket = this.#waiting.get(socket) ?? [];
    if (ofSocket.length === 0) socket.once('close', () => this.#forget(socket));
    this.#waiting.set(socket, ofSocket);
    this.#count += 1;
    ofSocket.push(() => {
      if (!socket.destroyed) proceed();
    });
  }

  /** A client that has left frees its places in the queue. */
  #forget(socket: Duplex): void {
    this.#count -= this.#waiting.get(socket)?.length ?? 0;
    this.#waiting.delete(socket);
  }
}
