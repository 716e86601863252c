import { createHash, timingSafeEqual } from 'node:crypto';
import { HttpProblem } from '../problem.js';

/**
 * Checks `Authorization: Bearer <token>` (RFC 6750 section 2.1) in a time that does not depend on where the tokens differ.
 *
 * @throws HttpProblem 401 | 403
 */
export function checkToken(authorization: string | undefined, token: string | undefined): void {
  if (token === undefined) throw new HttpProblem(403, 'publishing is off: no token is configured (http.token)');
  const [, given] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
  if (given === undefined) {
    throw new HttpProblem(401, 'send the token as "Authorization: Bearer <token>"', { 'www-authenticate': 'Bearer' });
  }
  if (!timingSafeEqual(digest(given), digest(token))) {
    throw new HttpProblem(401, 'this is not the token', { 'www-authenticate': 'Bearer error="invalid_token"' });
  }
}

/** Of equal length whatever the token, as `timingSafeEqual` wants it. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
