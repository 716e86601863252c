import { type ErrorCode, PregonError } from '@pregon/protocol';
import { shownUrl } from './url.js';

/**
 * The answer to a request at the URL of a gateway after a failed WebSocket attempt. It is an HTTP status with the title
 * of its problem details (RFC 9457), `unreadable` if no CORS header lets the page read it, or `unreachable` if there
 * was no answer. `isPlain` is true if the request was a plain one, not a handshake.
 */
export type Answer =
  | { readonly status: number; readonly title?: string | undefined; readonly isPlain?: boolean }
  | 'unreadable'
  | 'unreachable';

const UPGRADES = 'does a proxy pass WebSocket upgrades on?';
const ORIGIN = "is the page's origin in the gateway's allowedOrigins?";

/**
 * Makes the error for an attempt that failed with this answer. It is `retryable` unless something must be changed
 * first.
 *
 * @param wasWelcomed whether the gateway has admitted this client before. Default: false
 */
export function errorOfAnswer(url: string, answer: Answer, wasWelcomed?: boolean): PregonError {
  const [code, text] = verdictOn(answer, wasWelcomed);
  return new PregonError(code, `${shownUrl(url)} ${text}`);
}

function verdictOn(answer: Answer, wasWelcomed: boolean | undefined): readonly [ErrorCode, string] {
  if (answer === 'unreachable') {
    return ['CONNECTION_LOST', 'cannot be reached: is the gateway running there?'];
  }
  if (answer === 'unreadable') {
    return ['FORBIDDEN', `answers, but not to this page: ${ORIGIN}`];
  }
  const { status, title, isPlain } = answer;
  const said = title ? `${status}: ${title}` : status;
  // A gateway answers 426 to a plain request for one of its routes.
  if (isPlain && status === 426) return ['CONNECTION_LOST', `opens no WebSocket: ${UPGRADES}`];
  const refused = `refused the connection (${said}): `;
  if (status === 401) return ['FORBIDDEN', `${refused}sign in again; url may be a function`];
  if (status === 403) return ['FORBIDDEN', `${refused}${ORIGIN}`];
  // While a gateway is down, many proxies answer 404 themselves, without the title that a gateway sends.
  if ((wasWelcomed && !title) || status >= 500 || [408, 425, 429].includes(status))
    return ['CONNECTION_LOST', `cannot be used for now (${said})`];
  if (status === 404) return ['ROUTE_UNKNOWN', `${refused}is the path that of a route?`];
  return ['CONFIG_INVALID', `${refused}is that the gateway, and ${UPGRADES}`];
}

/** Reads the HTTP status from an error message of the `ws` package; browsers do not report it. */
export function statusIn(message: string): number | undefined {
  const found = /^Unexpected server response: (\d{3})$/.exec(message);
  return found ? Number(found[1]) : undefined;
}
