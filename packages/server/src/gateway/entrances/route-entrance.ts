import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { messageOf } from '@pregon/protocol';
import type { Refusal, Transport, TransportEntrance } from '../../core/ports/transport.js';
import type { RouteVerdict } from '../../transports/door.js';
import type { Entrance } from '../../transports/entrance.js';
import { type Claim, claimPath } from '../../transports/http/claim.js';
import { logRefusal } from '../../transports/http/refusal.js';
import type { GatewayKernel } from '../../transports/kernel.js';

/** The paths of the routes, shared by the transports. What none of them takes is refused here, and what has no route at all. */
export class RouteEntrance implements Entrance {
  readonly #kernel: GatewayKernel;
  readonly #transports: readonly Transport[];
  readonly #entrances: readonly TransportEntrance[];
  /** The last answer of a transport on a connection of HTTP/1. */
  readonly #answers = new WeakMap<Socket, ServerResponse>();

  private constructor(
    kernel: GatewayKernel,
    transports: readonly Transport[],
    entrances: readonly TransportEntrance[],
  ) {
    this.#kernel = kernel;
    this.#transports = transports;
    this.#entrances = entrances;
  }

  static async open(kernel: GatewayKernel, transports: readonly Transport[]): Promise<RouteEntrance> {
    const entrances = await Promise.all(transports.map((transport) => transport.entrance(kernel)));
    return new RouteEntrance(kernel, transports, entrances);
  }

  get claims(): readonly Claim[] {
    return this.#kernel.door.options.routes.map(({ path }) => claimPath(path));
  }

  knows(target: string | undefined): boolean {
    return this.#kernel.door.knows(target);
  }

  arrives(): boolean {
    return true;
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    // A request that is pipelined behind a stream would wait for its end, and one more with each that follows.
    if (this.#isAnswering(request)) return void request.socket.destroy();
    this.#apart(request, carrierOf(request, response), () => {
      const entrance = this.#entrances.find((candidate) => candidate.request && candidate.takes(request));
      if (!entrance?.request)
        return this.#notOffered(request, (refusal) => this.#kernel.refuse(request, response, refusal));
      if (request.httpVersionMajor === 1) this.#answers.set(request.socket, response);
      return entrance.request(request, response);
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#apart(request, socket, () => {
      const entrance = this.#entrances.find((candidate) => candidate.upgrade && candidate.takes(request));
      if (entrance?.upgrade) return entrance.upgrade(request, socket, head);
      return this.#notOffered(request, (refusal) => this.#kernel.refuseUpgrade(request, socket, refusal));
    });
  }

  destroy(): void {
    for (const entrance of this.#entrances) entrance.destroy();
  }

  /** A mistake of a transport costs the client that met it its connection, and nobody else anything. */
  #apart(request: IncomingMessage, carrier: Duplex, work: () => void | Promise<void>): void {
    const failed = (error: unknown): void => {
      const refusal = { status: 500, reason: 'transport', message: `a transport failed: ${messageOf(error)}` };
      logRefusal(this.#kernel.door.options.refusals, request, refusal);
      carrier.destroy();
    };
    try {
      // An async method has the type of one that returns nothing; what it rejects with must not end the process.
      const done: unknown = work();
      if (done instanceof Promise) done.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #isAnswering({ socket }: IncomingMessage): boolean {
    const before = this.#answers.get(socket);
    return before !== undefined && !before.writableFinished && !before.destroyed;
  }

  /** Refuses a client that no transport takes; one that would not be admitted anyway is told that, and nothing of the transports. */
  #notOffered(request: IncomingMessage, refuse: (refusal: Refusal) => void): void | Promise<void> {
    const verdict = this.#kernel.door.admit(request);
    const answer = (decided: RouteVerdict) => refuse('route' in decided ? this.#refusal() : decided);
    return verdict instanceof Promise ? verdict.then(answer) : answer(verdict);
  }

  #refusal(): Refusal {
    const offers = this.#transports.map(({ offer }) => offer);
    const message = offers.join(', or ');
    // RFC 9110 section 15.5.22: 426 names the protocol that is wanted.
    const hasWebSocket = this.#transports.some(({ name }) => name === 'websocket');
    if (!hasWebSocket) return { status: 406, reason: 'handshake', message };
    return { status: 426, reason: 'handshake', message, headers: { Upgrade: 'websocket' } };
  }
}

/** What ends this request and no other: in HTTP/2 the socket is that of many. */
function carrierOf(request: IncomingMessage, response: ServerResponse): Duplex {
  const stream: unknown = Reflect.get(response, 'stream');
  return stream instanceof Duplex ? stream : request.socket;
}
