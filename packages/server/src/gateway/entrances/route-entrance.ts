import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Refusal, Transport, TransportEntrance } from '../../core/ports/transport.js';
import type { RouteVerdict } from '../../transports/client-registry.js';
import type { Entrance } from '../../transports/entrance.js';
import { type Claim, claimPath } from '../../transports/http/claim.js';
import { carrierOf } from '../../transports/http/refusal.js';
import type { GatewayKernel } from '../../transports/kernel.js';
import { OwnPathEntrance } from './own-path-entrance.js';
import { TransportFailures } from './transport-failures.js';

/**
 * The entrance at the paths of the routes, shared by the transports. It refuses requests that no transport takes, and
 * requests without a route.
 */
export class RouteEntrance implements Entrance {
  readonly #kernel: GatewayKernel;
  readonly #failures: TransportFailures;
  #transports: readonly Transport[] = [];
  #entrances: readonly TransportEntrance[] = [];
  /** The last response of a transport on each HTTP/1 connection. */
  readonly #answers = new WeakMap<Socket, ServerResponse>();

  constructor(kernel: GatewayKernel) {
    this.#kernel = kernel;
    this.#failures = new TransportFailures(kernel.registry.options.refusals);
  }

  /**
   * Opens the transports, before any client connects.
   *
   * @returns the entrances of transports that have a path of their own and do not serve routes
   */
  async open(transports: readonly Transport[]): Promise<readonly Entrance[]> {
    const opened = await Promise.all(
      transports.map(async (transport) => ({ transport, entrance: await transport.entrance(this.#kernel) })),
    );
    const atRoutes = opened.filter(({ entrance }) => !entrance.ownPath);
    this.#transports = atRoutes.map(({ transport }) => transport);
    this.#entrances = atRoutes.map(({ entrance }) => entrance);
    return opened.flatMap(({ entrance }) =>
      entrance.ownPath ? [new OwnPathEntrance(entrance, entrance.ownPath, this.#failures)] : [],
    );
  }

  get claims(): readonly Claim[] {
    return this.#kernel.registry.options.routes.map(({ path }) => claimPath(path));
  }

  knows(target: string | undefined): boolean {
    return this.#kernel.registry.knows(target);
  }

  arrives(): boolean {
    return true;
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    // A request that is pipelined behind an event stream would wait until the stream ends, and so would each later one.
    if (this.#isAnswering(request)) return void request.socket.destroy();
    this.#failures.guard(request, carrierOf(request, response), () => {
      const entrance = this.#entrances.find((candidate) => candidate.request && candidate.takes(request));
      if (!entrance?.request)
        return this.#notOffered(request, (refusal) => this.#kernel.refuse(request, response, refusal));
      if (request.httpVersionMajor === 1) this.#answers.set(request.socket, response);
      return entrance.request(request, response);
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#failures.guard(request, socket, () => {
      const entrance = this.#entrances.find((candidate) => candidate.upgrade && candidate.takes(request));
      if (entrance?.upgrade) return entrance.upgrade(request, socket, head);
      return this.#notOffered(request, (refusal) => this.#kernel.refuseUpgrade(request, socket, refusal));
    });
  }

  destroy(): void {
    for (const entrance of this.#entrances) entrance.destroy();
  }

  #isAnswering({ socket }: IncomingMessage): boolean {
    const before = this.#answers.get(socket);
    return before !== undefined && !before.writableFinished && !before.destroyed;
  }

  /**
   * Refuses a client that no transport takes. A client that would not be admitted gets that refusal instead, and learns
   * nothing about the transports.
   */
  #notOffered(request: IncomingMessage, refuse: (refusal: Refusal) => void): void | Promise<void> {
    const verdict = this.#kernel.registry.admit(request);
    const answer = (decided: RouteVerdict) => refuse('route' in decided ? this.#refusal() : decided);
    return verdict instanceof Promise ? verdict.then(answer) : answer(verdict);
  }

  #refusal(): Refusal {
    const offers = this.#transports.map(({ offer }) => offer);
    const message = offers.join(', or ');
    // RFC 9110 section 15.5.22: 426 names the protocol that is required.
    const hasWebSocket = this.#transports.some(({ name }) => name === 'websocket');
    if (!hasWebSocket) return { status: 406, reason: 'handshake', message };
    return { status: 426, reason: 'handshake', message, headers: { Upgrade: 'websocket' } };
  }
}
