import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { failureOf } from './failure.js';
import { type LoadEvent, type Outlet, PublishError } from './publisher.js';

/** How many requests run at once: more than a gateway needs for group commit. */
const CONCURRENCY = 32;

const TIMEOUT_MS = 10_000;

const ADVICE: Readonly<Record<number, string>> = {
  401: 'give the http.token of the gateway with --token or PREGON_TOKEN',
  403: 'the gateway has no http.token, so publishing is off: set one',
  404: 'use the address http://HOST:PORT/publish/EXCHANGE, with the port of --http-port and an exchange that the gateway reads',
};

/** Publishes with `POST /publish/:exchange/:topic` of a gateway, one request per event. */
export class HttpOutlet implements Outlet {
  readonly group = 1;
  readonly concurrency = CONCURRENCY;
  readonly #base: URL;
  readonly #token: string;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #request: typeof httpRequest;

  /** @param base `http://host:port/publish/<exchange>`, without a trailing slash */
  constructor(base: URL, token: string) {
    const secure = base.protocol === 'https:';
    this.#base = base;
    this.#token = token;
    this.#request = secure ? httpsRequest : httpRequest;
    this.#agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: CONCURRENCY });
  }

  async publish(events: readonly LoadEvent[]): Promise<void> {
    await Promise.all(events.map((event) => this.#post(event)));
  }

  close(): void {
    this.#agent.destroy();
  }

  #post({ topic, ...event }: LoadEvent): Promise<void> {
    const body = Buffer.from(JSON.stringify(event));
    return new Promise((resolve, reject) => {
      const request = this.#request(`${this.#base.href}/${encodeURIComponent(topic)}`, {
        method: 'POST',
        agent: this.#agent,
        timeout: TIMEOUT_MS,
        headers: {
          authorization: `Bearer ${this.#token}`,
          'content-type': 'application/json',
          'content-length': body.length,
        },
      });
      request.on('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', (error) => reject(this.#unreachable(error)));
      request.on('response', (response) => {
        const { statusCode = 0 } = response;
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('error', (error) => reject(this.#unreachable(error)));
        response.on('end', () => {
          if (statusCode >= 200 && statusCode < 300) resolve();
          else reject(this.#refused(statusCode, text));
        });
      });
      request.end(body);
    });
  }

  #unreachable(cause: Error): PublishError {
    const { reason, advice } = failureOf(cause);
    const message = `cannot publish to ${this.#base.href}: ${reason}${advice ? `; ${advice}` : ''}`;
    return new PublishError(message, { retryable: true, cause });
  }

  #refused(status: number, text: string): PublishError {
    const why = detailOf(text);
    const advice = ADVICE[status];
    const message = `${this.#base.href} answers ${status}${why ? `: ${why}` : ''}${advice ? `; ${advice}` : ''}`;
    return new PublishError(message, { retryable: status === 429 || status >= 500 });
  }
}

/** The `detail` of a problem (RFC 9457); empty if there is none. */
function detailOf(text: string): string {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === 'object' && problem !== null && 'detail' in problem) return String(problem.detail);
  } catch {
    // A proxy answers with a page: the status is enough.
  }
  return '';
}
