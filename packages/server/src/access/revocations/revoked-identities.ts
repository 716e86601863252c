import { CLOSE_CODES } from '@pregon/protocol';
import type { Admission, AdmissionRequest, Identity, Refusal } from '../../core/ports/admission.js';

/** Not logged, because it is expected: when a user signs out everywhere, each of the other clients tries once more. */
const REVOKED: Refusal = Object.freeze({
  status: 401,
  message: 'the identity was revoked',
  headers: Object.freeze({
    'WWW-Authenticate': 'Bearer error="invalid_token", error_description="the token was revoked"',
  }),
  close: CLOSE_CODES.REVOKED,
});

/**
 * Refuses revoked identities, whichever admission found them. Asked last, so that nothing is awaited between its answer
 * and the connection.
 */
export class RevokedIdentities implements Admission {
  readonly name = 'revocations';
  readonly #revoked: { has(identity: Identity): boolean };

  constructor(revoked: { has(identity: Identity): boolean }) {
    this.#revoked = revoked;
  }

  admit(_: AdmissionRequest, identity: Identity | undefined): Refusal | undefined {
    return identity && this.#revoked.has(identity) ? REVOKED : undefined;
  }
}
