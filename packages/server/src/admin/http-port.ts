import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf, PregonError } from '@pregon/protocol';
import { AdmissionChain, type AdmissionChainOptions } from '../core/admission/admission-chain.js';
import { type AddressOf, socketAddress } from '../core/admission/admission-request.js';
import { uncounted } from '../core/admission/clients.js';
import { isRefusal } from '../core/admission/decision.js';
import { PendingAdmissions } from '../core/admission/pending-admissions.js';
import { toldError } from '../core/connections/told-error.js';
import type { Allowed } from '../core/ports/admission.js';
import { RefusalLog } from '../core/refusals/refusal-log.js';
import { systemClock } from '../core/time/clock.js';
import { within } from '../core/time/deadline.js';
import type { Logger } from '../gateway/options.js';
import { type AdminAccess, type AdminRoute, type Admitted, matchPath } from './admin-route.js';
import { HttpProblem, sendProblem } from './problem.js';

export interface HttpPortOptions {
  /** The port to listen on; 0 for any free port. */
  readonly port: number;
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** How long the headers of a request may take, in milliseconds. @default 10000 */
  readonly handshakeTimeoutMs?: number | undefined;
  /** The first route that matches the path of a request answers it. */
  readonly routes: readonly AdminRoute[];
  /** Finds the address of a client. @default that of its socket */
  readonly addressOf?: AddressOf;
  readonly logger: Logger;
}

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;

/** How long a whole request may take. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * How often the server looks for late requests. The default of Node.js is 30 s, and a slow request would live that
 * long.
 */
const LATE_CHECK_MS = 1_000;

/** Publishers and probes are few. Connections above this limit are closed at once. */
const MAX_CONNECTIONS = 1_000;

const MAX_HEADERS = 100;

/** The port for operators and publishers, separate from the port for clients. It answers from a table of routes. */
export class HttpPort {
  readonly #options: HttpPortOptions;
  readonly #server: Server;
  readonly #chain: AdmissionChainOptions;
  readonly #refusals: RefusalLog;

  private constructor(options: HttpPortOptions) {
    this.#options = options;
    this.#refusals = new RefusalLog(options.logger, systemClock);
    const clients = uncounted(options.addressOf ?? socketAddress);
    const pending = new PendingAdmissions({ clients, clock: systemClock, pace: (resume) => resume() });
    this.#chain = {
      pending,
      clients,
      wallClock: Date.now,
      onFailed: (admission, err) =>
        options.logger.error({ admission, err }, 'an admission failed; the request was refused'),
    };
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
      const why = busy ? 'the port is in use' : messageOf(cause);
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
    await within(1_000, closed, () => {
      this.#server.closeAllConnections();
      return closed;
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent || response.destroyed) return;
      const problem = toProblem(error);
      if (problem.status >= 500)
        this.#options.logger.error({ err: error, path: request.url?.split('?', 1)[0] }, 'http request failed');
      sendProblem(response, problem);
    }
  }

  async #admit({ access, accessAgain, path }: AdminRoute, request: IncomingMessage): Promise<Admitted | HttpProblem> {
    if (access === 'anyone') return { async assertStillAllowed() {} };
    const chain = 'decide' in access ? access : new AdmissionChain([access], this.#chain);
    const found = await this.#decide(chain, path, request);
    if (found instanceof HttpProblem) return found;
    return {
      ...found,
      assertStillAllowed: async () => {
        const again = accessAgain && (await this.#decide(accessAgain, path, request, found));
        if (again instanceof HttpProblem) throw again;
      },
    };
  }

  async #decide(
    chain: AdminAccess,
    path: string,
    request: IncomingMessage,
    found?: Allowed,
  ): Promise<Allowed | HttpProblem> {
    const entrance = { kind: 'http', name: path };
    const verdict = await chain.decide({ request, entrance, found, isGone: () => request.socket.destroyed });
    if (!isRefusal(verdict)) return verdict;
    const { status, message, headers, reason, remedy } = verdict;
    if (reason !== undefined) {
      this.#refusals.tell({ reason, origin: request.headers.origin, subject: path, message, remedy });
    }
    return new HttpProblem(status, message, headers);
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const segments = splitPath(request.url ?? '/');
    for (const route of this.#options.routes) {
      const parameters = matchPath(route, segments);
      if (!parameters) continue;
      const { method = 'GET' } = request;
      if (route.methods.includes(method)) {
        const admitted = await this.#admit(route, request);
        if (admitted instanceof HttpProblem) return sendProblem(response, admitted);
        return route.answer(request, response, parameters, admitted);
      }
      throw new HttpProblem(405, `${method} is not allowed on this path`, { allow: route.methods.join(', ') });
    }
    throw new HttpProblem(404, `this path does not exist; the paths are ${listOf(this.#options.routes)}`);
  }
}

/** `GET /health, GET /ready and POST /publish/:exchange/:topic` */
function listOf(routes: readonly AdminRoute[]): string {
  const all = routes.map(({ methods: [method = 'GET'], path }) => `${method} ${path}`);
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
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
