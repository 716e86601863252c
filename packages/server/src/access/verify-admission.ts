import type { Admission, AdmissionRequest, Decision, Identity, Verify } from '../core/ports/admission.js';

/** Admits with the identity that the application finds. The rules decide about a client without one. */
export class VerifyAdmission implements Admission {
  readonly name = 'verify';
  readonly #verify: Verify;

  /** @throws TypeError if `verify` is not a function */
  constructor(verify: Verify) {
    if (typeof verify !== 'function') throw new TypeError('auth.verify must be a function');
    this.#verify = verify;
  }

  admit(request: AdmissionRequest, known: Identity | undefined): Decision | Promise<Decision> {
    // A client of Socket.IO was asked for its identity when its session began. Its polls have that identity.
    if (known || !request.isNew) return undefined;
    const found = this.#verify(request);
    return found instanceof Promise ? found.then(decisionOf) : decisionOf(found);
  }
}

function decisionOf(identity: Identity | undefined): Decision {
  return identity === undefined ? undefined : { identity };
}
