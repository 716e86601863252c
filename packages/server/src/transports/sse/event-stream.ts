import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { assertPosition, encodePosition } from '@pregon/protocol';
import type { Query, Refusal } from '../../core/ports/transport.js';
import type { ClientRegistry, RouteVerdict } from '../client-registry.js';
import { corsHeaders } from '../http/cors.js';
import { carrierOf, logRefusal, refuseRequest } from '../http/refusal.js';
import { wrongQuery } from '../kernel.js';
import { internRequest } from '../sockets/string-interning.js';
import { chunkedBody, plainBody } from './body.js';
import { NEVER_AGAIN, SseLink } from './sse-link.js';

/** The id of the only subscription of an event stream. */
const THE_SUBSCRIPTION = 0;

/** Serves requests for event streams at the routes. */
export class EventStream {
  readonly #registry: ClientRegistry;
  readonly #streaming = new Set<Duplex>();

  constructor(registry: ClientRegistry) {
    this.#registry = registry;
  }

  /** Ends all remaining streams at once. */
  destroy(): void {
    for (const socket of this.#streaming) socket.destroy();
  }

  handle(request: IncomingMessage, response: ServerResponse): void | Promise<void> {
    const verdict = this.#registry.admit(request);
    if (verdict instanceof Promise) return verdict.then((late) => this.#decided(late, request, response));
    this.#decided(verdict, request, response);
  }

  #decided(verdict: RouteVerdict, request: IncomingMessage, response: ServerResponse): void {
    const socket = carrierOf(request, response);
    if (response.destroyed) return;
    // A request that is pipelined behind a stream would wait forever, and so would each later one.
    if (this.#streaming.has(socket)) return void socket.destroy();
    const cors = corsHeaders(request, this.#registry.options.origins);
    if (!('route' in verdict)) {
      // An EventSource gives up after any status other than 200, but reconnects after a broken connection.
      const isTemporary = verdict.status === 503 || (verdict.status === 429 && isEventSource(request));
      if (!isTemporary) return this.#refuse(request, response, verdict, cors);
      logRefusal(this.#registry.options.refusals, request, verdict);
      return void socket.destroy();
    }
    const { route, identity, rights } = verdict;
    const lastEventId = lastEventIdOf(request) ?? verdict.query.lastEventId;
    // After 204, an EventSource does not reconnect (HTML, section 9.2.3).
    if (isSentAway(lastEventId)) {
      return refuseRequest(response, { status: 204, message: '' }, cors);
    }
    const query = resumed(verdict.query, lastEventId);
    const wrong = wrongQuery({ route, query, rights }, this.#registry.options);
    if (wrong) return this.#refuse(request, response, wrong, cors);
    // The socket still belongs to an earlier response, so no stream can begin.
    if (response.socket === null) return void socket.destroy();
    internRequest(request);
    begin(request, response, cors);
    const link = this.#link(response, socket);
    const connection = this.#registry.enter({ route, identity, rights }, request, link);
    link.connection = connection;
    response.on('close', () => {
      const forget = () => this.#streaming.delete(socket);
      // After the last chunk, a client may keep the connection open, or never read that far.
      if (socket.destroyed) forget();
      else socket.once('close', forget);
      this.#registry.leave(connection, 1000, '');
    });
    socket.on('error', (error) => connection.failed(error));
    try {
      connection.subscribe(THE_SUBSCRIPTION, query.topics, query.since, { snapshot: query.snapshot });
    } catch (error) {
      connection.refuse(THE_SUBSCRIPTION, error);
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal, cors: Record<string, string>): void {
    logRefusal(this.#registry.options.refusals, request, refusal);
    refuseRequest(response, refusal, cors);
  }

  #link(response: ServerResponse, socket: Duplex): SseLink {
    this.#streaming.add(socket);
    return new SseLink(response, socket, isChunked(response) ? chunkedBody : plainBody, this.#registry.options);
  }
}

function isChunked({ req }: ServerResponse): boolean {
  return req.httpVersionMajor === 1 && req.httpVersionMinor >= 1;
}

function begin(request: IncomingMessage, response: ServerResponse, cors: Record<string, string>): void {
  const { socket, httpVersionMajor } = request;
  if (httpVersionMajor === 1) {
    socket.setTimeout(0);
    socket.setNoDelay(true);
  }
  if (!isChunked(response)) response.removeHeader('Transfer-Encoding');
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    // A compressing proxy or middleware would buffer the stream before it passes it on.
    'Cache-Control': 'no-cache, no-store, no-transform',
    // Without this header, nginx buffers the stream.
    'X-Accel-Buffering': 'no',
    // Not together with `Connection: close`: fetch in Node.js treats any end of such a connection as the end of the
    // body, even with chunks.
    ...(isChunked(response) ? { 'Transfer-Encoding': 'chunked' } : {}),
    ...(httpVersionMajor === 1 && !isChunked(response) ? { Connection: 'close' } : {}),
    ...cors,
  });
  response.flushHeaders();
}

/** The header that browsers send. An empty value counts as absent (HTML, section 9.2.4). */
function lastEventIdOf({ headers }: IncomingMessage): string | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** A position without a proof, in the format of release 0.1: a subscription from it begins with `reset`. */
const UNPROVABLE = encodePosition({ offset: 0, fingerprint: 0 });

/**
 * The query of a reconnecting client: its last event id replaces the `since` of its URL, with which it first connected.
 * An id that is not a position, such as that of another service at the same URL, leads to `reset`: an EventSource gives
 * up permanently after a status other than 200.
 */
function resumed(query: Query, lastEventId: string | undefined): Query {
  if (lastEventId === undefined) return query;
  return { ...query, since: lastEventId === 'first' || isPosition(lastEventId) ? lastEventId : UNPROVABLE };
}

function isPosition(text: string): boolean {
  try {
    assertPosition(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether the client was told not to reconnect. A browser reconnects nevertheless. */
function isSentAway(lastEventId: string | undefined): boolean {
  return lastEventId?.startsWith(NEVER_AGAIN) === true;
}

/**
 * Whether an EventSource asks, in a browser or elsewhere. It asks past all caches (HTML, section 9.2.2), for which `fetch`
 * sends this header; other programs have no reason to.
 */
function isEventSource({ headers }: IncomingMessage): boolean {
  return headers['cache-control'] === 'no-cache';
}

export function wantsStream({ headers }: IncomingMessage): boolean {
  return headers.accept?.includes('text/event-stream') === true;
}
