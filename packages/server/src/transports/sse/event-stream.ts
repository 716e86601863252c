import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Door } from '../door.js';
import { assertQuery, type Query } from '../query.js';
import { type Refusal, refuseRequest } from '../refusal.js';
import { shareTexts } from '../shared-texts.js';
import { SseLink } from './sse-link.js';

/** The id under which the one subscription of an event stream runs. */
const THE_SUBSCRIPTION = 0;

/** Answers plain HTTP requests to the routes: event streams, and everything else with what is wrong about it. */
export class EventStream {
  readonly #door: Door;
  readonly #streaming = new Set<Socket>();

  constructor(door: Door) {
    this.#door = door;
  }

  /** Ends all that is left without a word. */
  destroy(): void {
    for (const socket of this.#streaming) socket.destroy();
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // A request that is pipelined behind a stream would wait for ever, and one more with each that follows.
    if (this.#streaming.has(socket)) return void socket.destroy();
    const admission = this.#door.admit(request);
    if (!('route' in admission)) {
      // An EventSource asks no more after any status but 200; after a connection that broke, it does.
      if (admission.status === 503 && wantsStream(request)) return void socket.destroy();
      return refuseRequest(response, admission);
    }
    const { route } = admission;
    const query = withLastEventId(admission.query, request);
    const wrong = wrongRequest(request, query, route.snapshots !== undefined);
    if (wrong) return refuseRequest(response, wrong, crossOrigin(request));
    // The socket is still another answer's: no place for a stream.
    if (response.socket === null) return void socket.destroy();
    shareTexts(request);
    begin(request, response);
    const link = this.#link(response, socket);
    const connection = this.#door.enter(route, request, link);
    link.connection = connection;
    response.on('close', () => {
      this.#streaming.delete(socket);
      this.#door.leave(connection, 1000, '');
    });
    socket.on('error', (error) => connection.failed(error));
    try {
      connection.subscribe(THE_SUBSCRIPTION, query.topics, query.since, { snapshot: query.snapshot });
    } catch (error) {
      connection.refuse(THE_SUBSCRIPTION, error);
    }
  }

  #link(response: ServerResponse, socket: Socket): SseLink {
    const { maxBufferedBytes, clock } = this.#door.options;
    this.#streaming.add(socket);
    return new SseLink(response, socket, maxBufferedBytes, clock);
  }
}

/**
 * The body ends with the connection, not in chunks, so that what is written to the socket is the stream itself and the same bytes
 * go to all (RFC 9112 section 6.3, rule 8).
 */
function begin(request: IncomingMessage, response: ServerResponse): void {
  request.socket.setTimeout(0);
  request.socket.setNoDelay(true);
  response.removeHeader('Transfer-Encoding');
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
    // nginx would else collect the stream before it passes it on.
    'X-Accel-Buffering': 'no',
    Connection: 'close',
    ...crossOrigin(request),
  });
  response.flushHeaders();
}

/** A browser that reconnects says where it was; the URL still says where it once began. */
function withLastEventId(query: Query, request: IncomingMessage): Query {
  const last = request.headers['last-event-id'];
  return typeof last === 'string' && last !== '' ? { ...query, since: last } : query;
}

function wantsStream({ headers }: IncomingMessage): boolean {
  return headers.accept?.includes('text/event-stream') === true;
}

/** Checked before the stream begins: afterwards there is no status to say it with. */
function wrongRequest(request: IncomingMessage, query: Query, hasSnapshot: boolean): Refusal | undefined {
  if (!wantsStream(request)) {
    const message = 'connect by WebSocket, or ask for text/event-stream';
    return { status: 426, message, headers: { Upgrade: 'websocket' } };
  }
  if (query.snapshot && !hasSnapshot) return { status: 400, message: 'this route has no snapshot' };
  try {
    assertQuery(query);
    return undefined;
  } catch (error) {
    return { status: 400, message: error instanceof Error ? error.message : String(error) };
  }
}

/** The origin was found to be allowed; the browser wants to read it in the answer too. */
function crossOrigin(request: IncomingMessage): Record<string, string> {
  const { origin } = request.headers;
  return origin === undefined ? {} : { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' };
}
