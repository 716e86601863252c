import type { Admission, AdmissionRequest, Decision, Identity, Verify } from '../core/ports/admission.js';
import { isNamelessOrigin } from './origins.js';

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
    const found = this.#verify(isNamelessOrigin(request.headers.origin) ? withoutCookies(request) : request);
    return found instanceof Promise ? found.then(decisionOf) : decisionOf(found);
  }
}

/** A page of any site can open a frame with such an origin, and the browser adds the cookies of its user. */
function withoutCookies(request: AdmissionRequest): AdmissionRequest {
  const { entrance, method, url, httpVersion, remoteAddress, ticket, token, isNew, isRenewal } = request;
  const { cookie: _, ...headers } = request.headers;
  return { entrance, method, url, httpVersion, headers, remoteAddress, ticket, token, isNew, isRenewal };
}

function decisionOf(identity: Identity | undefined): Decision {
  return identity === undefined ? undefined : { identity };
}
