import { RIGHTS_LEEWAY_MS } from '../core/connections/expiry.js';
import type { Admission, AdmissionRequest, Identity, Refusal } from '../core/ports/admission.js';
import { REFUSED, toRefusal } from './tokens/token-refusal.js';

const EXPIRED = Object.freeze(toRefusal(REFUSED.expired));

/**
 * Refuses a client whose identity has expired. Tokens are checked when they are verified, but the application can find an
 * identity too, and a session of Socket.IO enters namespaces with the identity that it had when it began.
 */
export class ExpiredIdentities implements Admission {
  readonly name = 'expired identities';
  readonly #leewayMs: number;

  /** @param leewayMs how long rights outlive the identity, the same as for open connections */
  constructor(leewayMs: number = RIGHTS_LEEWAY_MS) {
    this.#leewayMs = leewayMs;
  }

  admit(_: AdmissionRequest, identity: Identity | undefined): Refusal | undefined {
    const end = identity?.expiresAtMs;
    return end !== undefined && end + this.#leewayMs <= Date.now() ? EXPIRED : undefined;
  }
}
