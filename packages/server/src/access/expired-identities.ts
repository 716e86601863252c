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
  readonly #wallClock: () => number;

  /** @param wallClock returns the time in milliseconds since 1970-01-01 UTC. Default: Date.now */
  constructor(wallClock: () => number = Date.now) {
    this.#wallClock = wallClock;
  }

  admit(_: AdmissionRequest, identity: Identity | undefined): Refusal | undefined {
    const end = identity?.expiresAtMs;
    return end !== undefined && end + RIGHTS_LEEWAY_MS <= this.#wallClock() ? EXPIRED : undefined;
  }
}
