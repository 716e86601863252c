import { CLOSE_CODES } from '@pregon/protocol';
import type { Refusal } from '../../core/ports/admission.js';

/** A client without a token may do nothing. */
export const NO_TOKEN: Refusal = Object.freeze({
  status: 401,
  reason: 'rights',
  message: 'a token is needed here',
  remedy: 'the client sent no token, and no rule of "allow" has "who: anyone"',
  headers: Object.freeze({ 'WWW-Authenticate': 'Bearer' }),
  close: CLOSE_CODES.UNAUTHORIZED,
  awaitsToken: true,
});

/** An identity may do nothing (RFC 6750 section 3.1). */
export const NOTHING_GRANTED: Refusal = Object.freeze({
  status: 403,
  reason: 'rights',
  message: 'this identity may do nothing here',
  remedy: 'no rule of "allow" applies to it; add one if it should get in',
  headers: Object.freeze({ 'WWW-Authenticate': 'Bearer error="insufficient_scope"' }),
  close: CLOSE_CODES.FORBIDDEN,
});

/**
 * A claim of an identity cannot be a word of a topic. The client is told the name of the claim, which is in its own token.
 *
 * @param claim the name of the claim in the rules
 */
export function unusableClaim(claim: string): Refusal {
  return {
    status: 403,
    reason: 'rights',
    message: `the claim ${JSON.stringify(claim)} of this identity cannot be part of a topic`,
    close: CLOSE_CODES.FORBIDDEN,
    remedy:
      'a rule uses it as a word of a topic: it must be an integer, or a string that is not empty, not * or #, and short enough for a topic',
  };
}
