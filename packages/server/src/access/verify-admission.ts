import { type AskingAdmission, Question } from '../core/admission/question.js';
import type { AdmissionRequest, Decision, Identity, Verify } from '../core/ports/admission.js';
import { maySendCookies } from './origins.js';

/** Admits with the identity that the application finds. The rules decide about a client without one. */
export class VerifyAdmission implements AskingAdmission {
  readonly name = 'verify';
  readonly #verify: Verify;

  /** @throws TypeError if `verify` is not a function */
  constructor(verify: Verify) {
    if (typeof verify !== 'function') throw new TypeError('auth.verify must be a function');
    this.#verify = verify;
  }

  admit(request: AdmissionRequest, known: Identity | undefined): Decision | Question {
    // A client of Socket.IO was asked for its identity when its session began. Its polls have that identity.
    if (known || !request.isNew) return undefined;
    return new Question(() => this.#ask(request));
  }

  #ask(request: AdmissionRequest): Decision | Promise<Decision> {
    const found = this.#verify(maySendCookies(request.headers) ? request : withoutCookies(request));
    return found instanceof Promise ? found.then(decisionOf) : decisionOf(found);
  }
}

/** The application cannot tell cookies that prove something from those that a page of any site made a browser send. */
function withoutCookies(request: AdmissionRequest): AdmissionRequest {
  const { entrance, method, url, httpVersion, remoteAddress, ticket, token, isNew, isRenewal } = request;
  const { cookie: _, ...headers } = request.headers;
  return { entrance, method, url, httpVersion, headers, remoteAddress, ticket, token, isNew, isRenewal };
}

function decisionOf(identity: Identity | undefined): Decision {
  return identity === undefined ? undefined : { identity };
}
