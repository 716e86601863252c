import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Refusal } from '../../core/ports/admission.js';
import { ONLY_GET } from './refusal.js';

/** Which pages of a browser may connect, and read answers. */
export interface OriginPolicy {
  /** @param headers the headers of a request; `Origin` is absent if a program sent it */
  allows(headers: Readonly<IncomingHttpHeaders>): boolean;
  /** The answer to a page that may not connect; undefined if it may. */
  refusal(headers: Readonly<IncomingHttpHeaders>): Refusal | undefined;
}

/** For how long a browser may keep the answer to a preflight, in seconds; Chromium keeps none for longer. */
const PREFLIGHT_MAX_AGE_S = 7_200;

/**
 * The headers by which a browser lets a page of an allowed origin read an answer, refusals too (Fetch, "CORS protocol"). Credentials
 * may come from any allowed origin but `null`, which is that of every sandboxed frame.
 */
export function corsHeaders(request: IncomingMessage, origins: OriginPolicy): Record<string, string> {
  const { origin } = request.headers;
  if (origin === undefined || !origins.allows(request.headers)) return { Vary: 'Origin' };
  const readable = { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' };
  return origin === 'null' ? readable : { ...readable, 'Access-Control-Allow-Credentials': 'true' };
}

/** Whether a browser asks if a page may ask: `OPTIONS` as the Fetch standard has it. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

/** The answer to a preflight of an allowed origin: it may send what headers it likes, such as `Last-Event-ID` or `Authorization`. */
export function preflightAnswer({ headers }: IncomingMessage): Refusal {
  const asked = headers['access-control-request-headers'];
  const method = headers['access-control-request-method'];
  // A browser does not tell the page that the answer does not allow the method.
  const wrong = method === 'GET' || method === 'HEAD' ? {} : { reason: 'method', remedy: ONLY_GET.message };
  return {
    status: 204,
    message: `a page may not ask by ${method}`,
    ...wrong,
    headers: {
      'Access-Control-Allow-Methods': 'GET',
      ...(asked === undefined ? {} : { 'Access-Control-Allow-Headers': asked }),
      'Access-Control-Max-Age': `${PREFLIGHT_MAX_AGE_S}`,
      Vary: 'Origin, Access-Control-Request-Headers',
    },
  };
}
