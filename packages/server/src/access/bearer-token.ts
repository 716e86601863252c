import { createHash, timingSafeEqual } from 'node:crypto';
import type { Admission, AdmissionRequest, Refusal } from '../core/ports/admission.js';
import type { FailedAuthentications } from './limits/failed-authentications.js';

type FailureLimit = Pick<FailedAuthentications, 'refusal' | 'failed'>;

/**
 * Admits clients that present one fixed token as `Authorization: Bearer <token>` (RFC 6750 section 2.1). The comparison
 * takes constant time: its duration does not reveal where two tokens differ.
 */
export class BearerToken implements Admission {
  readonly name = 'bearer token';
  readonly #expected: Buffer | undefined;
  readonly #failures: FailureLimit | undefined;

  /**
   * @param token if undefined, every client is refused
   * @param failures limits how many tokens of one address may be refused. Default: no limit
   */
  constructor(token: string | undefined, failures?: FailureLimit) {
    this.#failures = failures;
    this.#expected = token === undefined ? undefined : digest(token);
  }

  admit({ headers, remoteAddress }: Pick<AdmissionRequest, 'headers' | 'remoteAddress'>): Refusal | undefined {
    if (!this.#expected)
      return { status: 403, message: 'publishing and revoking are off: no token is configured (http.token)' };
    const [, given] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    if (given === undefined) return refusal('send the token as "Authorization: Bearer <token>"', 'Bearer');
    if (timingSafeEqual(digest(given), this.#expected)) return undefined;
    // The right token is never refused because others at its address send wrong ones.
    const tooMany = this.#failures?.refusal(remoteAddress);
    if (tooMany) return tooMany;
    this.#failures?.failed(remoteAddress);
    return refusal('the token is wrong', 'Bearer error="invalid_token"');
  }
}

function refusal(message: string, challenge: string): Refusal {
  return { status: 401, message, headers: { 'WWW-Authenticate': challenge } };
}

/** Hashes a token, because `timingSafeEqual` needs inputs of equal length. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
