import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf } from '@pregon/protocol';
import { NO_TICKET } from '../../access/tickets/ticket-refusals.js';
import type { Tickets } from '../../access/tickets/tickets.js';
import { isRefusal, type Verdict } from '../../core/admission/decision.js';
import type { Refusal } from '../../core/ports/admission.js';
import type { ServedRoute } from '../../core/routes/served-route.js';
import type { ClientRegistry } from '../../transports/client-registry.js';
import type { Entrance } from '../../transports/entrance.js';
import { type Claim, claimPath } from '../../transports/http/claim.js';
import { corsHeaders, isPreflight, preflightAnswer } from '../../transports/http/cors.js';
import { canonicalPath } from '../../transports/http/path.js';
import { targetPath } from '../../transports/http/query.js';
import { carrierOf, logRefusal, onlyMethod, refuseRequest, refuseUpgrade } from '../../transports/http/refusal.js';
import { TransportFailures } from '../entrances/transport-failures.js';
import { ticketPath } from './ticket-path.js';

/** `POST <path of a route>/tickets`: gives a ticket to a client that the route would admit, see {@link Tickets}. */
export class TicketEntrance implements Entrance {
  readonly #registry: ClientRegistry;
  readonly #tickets: Pick<Tickets, 'issue'>;
  readonly #failures: TransportFailures;
  /** By canonical path. */
  readonly #routes: ReadonlyMap<string, ServedRoute>;
  readonly claims: readonly Claim[];

  constructor(registry: ClientRegistry, tickets: Pick<Tickets, 'issue'>) {
    const { routes, refusals } = registry.options;
    this.#failures = new TransportFailures(refusals);
    this.#registry = registry;
    this.#tickets = tickets;
    this.#routes = new Map(routes.map((route) => [canonicalPath(ticketPath(route.path)), route]));
    this.claims = routes.map(({ path }) => claimPath(ticketPath(path)));
  }

  knows(target: string | undefined): boolean {
    return this.#routes.has(targetPath(target));
  }

  arrives(): boolean {
    return true;
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    this.#failures.guard(request, carrierOf(request, response), () => this.#handle(request, response));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void | Promise<void> {
    const route = this.#routes.get(targetPath(request.url));
    if (!route) return this.#refuse(request, response, { status: 404, message: 'there is no such path' });
    if (isPreflight(request)) {
      const answer = this.#registry.options.origins.refusal(request.headers) ?? preflightAnswer(request, 'POST');
      return this.#refuse(request, response, answer);
    }
    if (request.method !== 'POST') return this.#refuse(request, response, onlyMethod('POST'));
    const verdict = this.#registry.decide(request, route.entrance);
    if (!(verdict instanceof Promise)) return this.#answer(request, response, route, verdict);
    return verdict.then((late) => this.#answer(request, response, route, late));
  }

  upgrade(request: IncomingMessage, stream: Duplex): void {
    const refusal = onlyMethod('POST');
    logRefusal(this.#registry.options.refusals, request, refusal);
    refuseUpgrade(stream, refusal);
  }

  destroy(): void {}

  #answer(request: IncomingMessage, response: ServerResponse, { name }: ServedRoute, verdict: Verdict): void {
    if (response.destroyed) return;
    if (isRefusal(verdict)) return this.#refuse(request, response, verdict);
    if (!verdict.identity) return this.#refuse(request, response, NO_TICKET.anonymous);
    const issued = this.#issue(verdict.identity, name, request.headers.origin);
    if ('status' in issued) return this.#refuse(request, response, issued);
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      ...corsHeaders(request, this.#registry.options.origins),
    });
    response.end(JSON.stringify(issued));
  }

  /** The application can find identities, and their claims can be anything. */
  #issue(...[identity, route, origin]: Parameters<Tickets['issue']>): ReturnType<Tickets['issue']> {
    try {
      return this.#tickets.issue(identity, route, origin);
    } catch (error) {
      const remedy = `JSON cannot represent its claims: ${messageOf(error)}`;
      return { status: 503, reason: 'tickets', message: 'this identity cannot have a ticket', remedy };
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    logRefusal(this.#registry.options.refusals, request, refusal);
    refuseRequest(response, refusal, corsHeaders(request, this.#registry.options.origins));
  }
}
