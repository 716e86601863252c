import { CLOSE_CODES } from '@pregon/protocol';
import type { Identity, Refusal } from '../../core/ports/admission.js';

/** Why a token does not admit its client; the same for each transport. */
export type TokenError =
  /** The token is not valid, and will not become so. */
  | 'invalid_token'
  /** The token was valid. The client comes back with a new one. */
  | 'expired_token'
  /** The request carries a token where none may be: in its URL, or more than one. */
  | 'invalid_request'
  /** The cookie came from a page whose origin is not allowed. */
  | 'origin_not_allowed'
  /** The keys of the issuer are not known now. The client comes back with the same token. */
  | 'keys_unavailable';

/**
 * The answer to a client whose token is not accepted. All texts are fixed: nothing of the token, a key or a claim is in
 * them.
 */
export interface TokenRefusal {
  readonly status: 400 | 401 | 403 | 503;
  readonly error: TokenError;
  /** Printable ASCII without `"` and `\`, as RFC 6750 section 3 demands of `error_description`. */
  readonly message: string;
  /** What the operator can do; it is logged, and not sent. Without one the refusal is not logged. */
  readonly remedy?: string;
  /** When the same token may be accepted, in milliseconds from now. */
  readonly retryAfterMs?: number;
}

const CLIENT = 'the client sends something else than a token of its issuer; see where it gets it from';

function invalid(message: string, remedy = CLIENT): TokenRefusal {
  return Object.freeze({ status: 401, error: 'invalid_token', message, remedy });
}

/** Every refusal with a fixed answer, by what is wrong. */
export const REFUSED = Object.freeze({
  size: invalid('the token is longer than 8192 bytes'),
  empty: invalid('the token is empty'),
  malformed: invalid('the token is not a signed JSON Web Token in compact form'),
  header: invalid('the header of the token has a member that is not allowed, or a wrong type'),
  tokenType: invalid('the type of the token is neither JWT nor at+jwt'),
  issuer: invalid(
    'the issuer of the token is not accepted here',
    'add the issuer to auth.issuers, exactly as iss says',
  ),
  algorithm: invalid(
    'the algorithm of the token is not accepted from its issuer',
    'if the issuer signs with it, add it to the algorithms of the issuer',
  ),
  key: invalid('the key of the token is unknown', 'the key set or key file of the issuer lacks the key that signed it'),
  signature: invalid(
    'the signature of the token is wrong',
    'the token was changed, or another key signed it than the configured one',
  ),
  claims: invalid('the token lacks iss, sub, iat or exp, or one of its claims has a wrong type'),
  audience: invalid(
    'the token is not meant for this audience',
    'compare aud of the tokens with the audience of the issuer; without a configured audience a token must not have aud',
  ),
  early: invalid('the token is not valid yet', 'the clocks of the issuer and of this machine differ'),
  lifetime: invalid(
    'the token is valid for longer than is accepted',
    'let the issuer give shorter tokens, or raise auth.maxTokenLifetimeMs',
  ),
  expired: Object.freeze({ status: 401, error: 'expired_token', message: 'the token has expired' }),
  repeated: Object.freeze({
    status: 400,
    error: 'invalid_request',
    message: 'the request has more than one token of the same kind; send one',
    remedy: 'the client sends several Authorization headers, or cookies of one name with different values',
  }),
  url: Object.freeze({
    status: 400,
    error: 'invalid_request',
    message: 'a token must not be in the URL, where logs keep it; send it as Authorization: Bearer, or in the cookie',
    remedy: 'the client has token= or access_token= in its URL; URLs are kept by logs, so that token is no secret now',
  }),
  origin: Object.freeze({
    status: 403,
    error: 'origin_not_allowed',
    message: 'the token in the cookie is taken only from pages of an allowed origin',
    remedy: 'add the origin of the page to allowedOrigins; programs send Authorization: Bearer instead of the cookie',
  }),
} as const satisfies Record<string, TokenRefusal>);

/** The keys of the issuer cannot be had at the moment. */
export function keysUnavailable(retryAfterMs: number): TokenRefusal {
  return {
    status: 503,
    error: 'keys_unavailable',
    message: 'the keys of the issuer are not available now; try again later',
    remedy: 'see the warnings about the key set of the issuer',
    retryAfterMs,
  };
}

export function isTokenRefusal(result: Identity | TokenRefusal): result is TokenRefusal {
  return 'error' in result;
}

/**
 * The HTTP answer: 401 with the challenge of RFC 6750 section 3, 503 with `Retry-After` (RFC 9110 section 10.2.3).
 * An expired token is not logged, since each client has one from time to time.
 */
export function toRefusal({ status, error, message, remedy, retryAfterMs }: TokenRefusal): Refusal {
  const headers: Record<string, string> = {};
  if (status === 401) headers['WWW-Authenticate'] = `Bearer error="invalid_token", error_description="${message}"`;
  if (status === 400) headers['WWW-Authenticate'] = `Bearer error="invalid_request", error_description="${message}"`;
  if (retryAfterMs !== undefined) headers['Retry-After'] = `${Math.max(1, Math.ceil(retryAfterMs / 1_000))}`;
  const logged = remedy === undefined ? {} : { reason: error, remedy };
  return { status, message, ...logged, headers, ...closing(status, error) };
}

/** After an expired token, a client reconnects with a new one; after any other, a new connection would fail as well. */
function closing(status: TokenRefusal['status'], error: TokenError): Pick<Refusal, 'close'> {
  if (error === 'expired_token') return { close: CLOSE_CODES.TOKEN_EXPIRED };
  if (status === 503) return { close: CLOSE_CODES.INTERNAL_ERROR };
  return { close: status === 403 ? CLOSE_CODES.FORBIDDEN : CLOSE_CODES.UNAUTHORIZED };
}
