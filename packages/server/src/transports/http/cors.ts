import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Refusal } from '../../core/ports/admission.js';
import { onlyMethod } from './refusal.js';

/** Decides which pages may connect and read responses. */
export interface OriginPolicy {
  /** @param headers the headers of a request; programs send no `Origin` */
  allows(headers: Readonly<IncomingHttpHeaders>): boolean;
  /** The response to a page that may not connect; undefined if it may. */
  refusal(headers: Readonly<IncomingHttpHeaders>): Refusal | undefined;
}

/** How long a browser may cache the response to a preflight, in seconds; Chromium allows no more. */
const PREFLIGHT_MAX_AGE_S = 7_200;

/**
 * The headers with which a browser lets a page of an allowed origin read a response, refusals included (Fetch, "CORS
 * protocol"). All allowed origins may send credentials except `null`, which is also the origin of every sandboxed
 * frame, and `file://`, which is that of every page from disk.
 */
export function corsHeaders(request: IncomingMessage, origins: OriginPolicy): Record<string, string> {
  const { origin } = request.headers;
  if (origin === undefined || !origins.allows(request.headers)) return { Vary: 'Origin' };
  const readable = { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' };
  return origin === 'null' || origin === 'file://'
    ? readable
    : { ...readable, 'Access-Control-Allow-Credentials': 'true' };
}

/** Whether the request is a preflight: `OPTIONS` as defined by the Fetch standard. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

/**
 * The response to a preflight of an allowed origin. It allows all headers, such as `Last-Event-ID` or `Authorization`.
 *
 * @param allowed the only method of the path
 */
export function preflightAnswer({ headers }: IncomingMessage, allowed: 'GET' | 'POST' = 'GET'): Refusal {
  const asked = headers['access-control-request-headers'];
  const method = headers['access-control-request-method'];
  // A browser does not tell the page that the method is not allowed, so the refusal is logged.
  const isAllowed = method === allowed || (allowed === 'GET' && method === 'HEAD');
  const wrong = isAllowed ? {} : { reason: 'method', remedy: onlyMethod(allowed).message };
  return {
    status: 204,
    message: `a page may not use the method ${method}`,
    ...wrong,
    headers: {
      'Access-Control-Allow-Methods': allowed,
      ...(asked === undefined ? {} : { 'Access-Control-Allow-Headers': asked }),
      'Access-Control-Max-Age': `${PREFLIGHT_MAX_AGE_S}`,
      Vary: 'Origin, Access-Control-Request-Headers',
    },
  };
}
