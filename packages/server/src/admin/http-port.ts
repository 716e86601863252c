import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { DEFAULT_MAX_EVENT_BYTES, PregonError, type PregonEvent } from '@pregon/protocol';
import { toldError } from '../core/connections/told-error.js';
import type { Logger } from '../gateway/options.js';
import { HttpProblem, sendJson, sendProblem } from './problem.js';
import { readEvent } from './publish-request.js';
import { checkToken } from './token.js';

export interface HttpPortOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** What a publisher must show; without one nobody may publish. */
  readonly token?: string | undefined;
  /** The largest body, in bytes. @default 1048576 (1 MiB) */
  readonly maxBytes?: number;
  /** How long the head of a request may take, in milliseconds. @default 10000 */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Those that may be published to: an event on another one would reach nobody here. */
  readonly exchanges: readonly string[];
  /** Undefined where the gateway is ready, else why it is not. */
  readonly notReady: () => string | undefined | Promise<string | undefined>;
  /** Resolves with the event's position when it is safe. */
  readonly append: (event: PregonEvent) => Promise<string>;
  readonly logger: Logger;
}

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;

/** How long a request may take, whose head came in time. */
const REQUEST_TIMEOUT_MS = 30_000;

/** How often the server looks for requests that are late: by default Node.js does so each 30 s, and a slow request lives for as long. */
const LATE_CHECK_MS = 1_000;

/** Publishers and probes are few; beyond it, connections are closed at once. */
const MAX_CONNECTIONS = 1_000;

const MAX_HEADERS = 100;

/**
 * The port for those who run the gateway, apart from the one for clients: `GET /health`, `GET /ready`,
 * `POST /publish/:exchange/:topic`.
 */
export class HttpPort {
  readonly #options: HttpPortOptions;
  readonly #server: Server;

  private constructor(options: HttpPortOptions) {
    this.#options = options;
    const { handshakeTimeoutMs = DEFAULT_HANDSHAKE_TIMEOUT_MS } = options;
    const timeouts = {
      headersTimeout: handshakeTimeoutMs,
      requestTimeout: Math.max(REQUEST_TIMEOUT_MS, handshakeTimeoutMs),
      connectionsCheckingInterval: LATE_CHECK_MS,
    };
    this.#server = createServer(timeouts, (request, response) => void this.#answer(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.maxHeadersCount = MAX_HEADERS;
  }

  /** @throws PregonError LISTEN_FAILED */
  static async open(options: HttpPortOptions): Promise<HttpPort> {
    const { host = '127.0.0.1', port } = options;
    const http = new HttpPort(options);
    try {
      http.#server.listen({ host, port });
      await once(http.#server, 'listening');
    } catch (cause) {
      const busy = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
      const why = busy ? 'the port is in use' : cause instanceof Error ? cause.message : String(cause);
      throw new PregonError('LISTEN_FAILED', `cannot listen on ${host}:${port} (http): ${why}`, { cause });
    }
    return http;
  }

  get address(): { host: string; port: number } {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new TypeError('the HTTP port is closed');
    return { host: address.address, port: address.port };
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    const late = setTimeout(() => this.#server.closeAllConnections(), 1_000);
    await closed;
    clearTimeout(late);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent || response.destroyed) return;
      const problem = toProblem(error);
      if (problem.status >= 500) this.#options.logger.error({ err: error, path: request.url }, 'http request failed');
      sendProblem(response, problem);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [root, ...rest] = splitPath(request.url ?? '/');
    if (root === 'health' && rest.length === 0) {
      allow(request, ['GET', 'HEAD']);
      return sendJson(response, 200, { status: 'alive' });
    }
    if (root === 'ready' && rest.length === 0) {
      allow(request, ['GET', 'HEAD']);
      const reason = await this.#options.notReady();
      if (reason !== undefined) throw new HttpProblem(503, reason);
      return sendJson(response, 200, { status: 'ready' });
    }
    const [exchange, topic] = rest;
    if (root === 'publish' && exchange !== undefined && topic !== undefined && rest.length === 2) {
      allow(request, ['POST']);
      return this.#publish(request, response, { exchange, topic });
    }
    throw new HttpProblem(404, 'there are GET /health, GET /ready and POST /publish/:exchange/:topic');
  }

  async #publish(
    request: IncomingMessage,
    response: ServerResponse,
    place: { exchange: string; topic: string },
  ): Promise<void> {
    const { token, exchanges, maxBytes = DEFAULT_MAX_EVENT_BYTES, append } = this.#options;
    checkToken(request.headers.authorization, token);
    if (!exchanges.includes(place.exchange)) {
      throw new HttpProblem(404, `there is no exchange "${place.exchange}"; there are: ${exchanges.join(', ')}`);
    }
    const event = await readEvent(request, place, maxBytes);
    sendJson(response, 201, { id: event.id, position: await append(event) });
  }
}

function allow({ method = 'GET' }: IncomingMessage, methods: readonly string[]): void {
  if (!methods.includes(method)) {
    throw new HttpProblem(405, `${method} is not allowed here`, { allow: methods.join(', ') });
  }
}

function splitPath(url: string): string[] {
  const path = url.split('?')[0] ?? '/';
  try {
    return path.slice(1).split('/').map(decodeURIComponent);
  } catch {
    throw new HttpProblem(400, 'the path is not well-formed');
  }
}

const STATUSES = { EVENT_INVALID: 400, TOPIC_INVALID: 400, EVENT_ID_REUSED: 409, EVENT_TOO_LARGE: 413 } as const;

function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof PregonError) {
    const status = isRefused(error.code) ? STATUSES[error.code] : 503;
    return new HttpProblem(status, toldError(error).message, error.retryable ? { 'retry-after': '1' } : {});
  }
  return new HttpProblem(500, 'internal error');
}

function isRefused(code: string): code is keyof typeof STATUSES {
  return Object.hasOwn(STATUSES, code);
}
