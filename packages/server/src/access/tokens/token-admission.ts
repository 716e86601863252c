import type { Admission, AdmissionRequest, Decision, Identity } from '../../core/ports/admission.js';
import type { FailedAuthentications } from '../limits/failed-authentications.js';
import { isNamelessOrigin } from '../origins.js';
import { bearerToken, cookieToken, messageToken } from './presented-token.js';
import { isTokenRefusal, REFUSED, type TokenRefusal, toRefusal } from './token-refusal.js';
import type { TokenVerifier } from './token-verifier.js';

export interface TokenAdmissionOptions {
  readonly verifier: Pick<TokenVerifier, 'verify' | 'find'>;
  /** The cookie that may hold a token. @default no cookie is looked at */
  readonly cookie?: string | undefined;
  /**
   * Whose pages may connect; required with `cookie`. A page of any site can make a browser send the cookie, so that it
   * proves nothing without an origin.
   */
  readonly origins?: { allows(headers: AdmissionRequest['headers']): boolean } | undefined;
  /** Limits how many tokens of one address may be refused. @default no limit */
  readonly failures?: Pick<FailedAuthentications, 'refusal' | 'takeTry' | 'failed'> | undefined;
}

/** A name as RFC 6265 section 4.1.1 allows it. */
const COOKIE_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** Whether a text can be the name of a cookie. */
export function isCookieName(text: string): boolean {
  return COOKIE_NAME.test(text);
}

/**
 * Admits who brings a valid token, in `Authorization: Bearer` or a cookie, with its identity. A client without a token
 * goes on as anonymous: the rules of the route decide about it.
 *
 * The first kind of token that is present decides. If it is not valid, the client is refused: never does the next kind
 * count, and never is the client admitted as anonymous.
 */
export class TokenAdmission implements Admission {
  readonly name = 'tokens';
  readonly #options: TokenAdmissionOptions;

  /** @throws TypeError if the name of the cookie is none, or `origins` is missing */
  constructor(options: TokenAdmissionOptions) {
    const { cookie, origins } = options;
    if (cookie !== undefined && !isCookieName(cookie)) {
      throw new TypeError(`auth.cookie: ${JSON.stringify(cookie)} is not the name of a cookie`);
    }
    if (cookie !== undefined && !origins) throw new TypeError('auth.cookie needs allowedOrigins');
    this.#options = options;
  }

  admit(
    request: Pick<AdmissionRequest, 'headers' | 'token' | 'remoteAddress'> &
      Partial<Pick<AdmissionRequest, 'isNew' | 'isRenewal'>>,
  ): Decision | Promise<Decision> {
    // A poll of Socket.IO has the identity with which its session began.
    if (request.isNew === false) return undefined;
    const token = this.#tokenOf(request.headers) ?? messageToken(request.token);
    if (token === undefined) return undefined;
    const { verifier, failures } = this.#options;
    const { remoteAddress, isRenewal = false } = request;
    // An open connection has a limit of its own, and must not end because of others at its address.
    const tooMany = isRenewal ? undefined : failures?.refusal(remoteAddress);
    // Clients that share an address with an attacker get in with a token that was verified before, or within the tries.
    if (tooMany) {
      const identity = typeof token === 'string' ? verifier.find(token) : undefined;
      if (identity) return { identity };
      if (!failures?.takeTry(remoteAddress)) return tooMany;
    }
    const result = typeof token === 'string' ? verifier.verify(token) : token;
    const decided = (late: Identity | TokenRefusal): Decision => {
      if (isFailure(late)) failures?.failed(remoteAddress);
      return toDecision(late);
    };
    return result instanceof Promise ? result.then(decided) : decided(result);
  }

  #tokenOf(headers: AdmissionRequest['headers']): string | TokenRefusal | undefined {
    const bearer = bearerToken(headers);
    if (bearer !== undefined) return bearer;
    const { cookie } = this.#options;
    const token = cookie === undefined ? undefined : cookieToken(headers, cookie);
    if (token === undefined) return undefined;
    return this.#isFromAllowedPage(headers) ? token : REFUSED.origin;
  }

  /**
   * Browsers name the origin in each WebSocket handshake and each request to another origin. A plain GET of a page's own
   * origin has none; browsers then say `same-origin`, a header that no page can set (Fetch Metadata).
   */
  #isFromAllowedPage(headers: AdmissionRequest['headers']): boolean {
    const { origin } = headers;
    if (origin === undefined ? headers['sec-fetch-site'] !== 'same-origin' : isNamelessOrigin(origin)) {
      return false;
    }
    return this.#options.origins?.allows(headers) ?? false;
  }
}

/** An expired token is no attempt to guess one: each client has one from time to time. */
function isFailure(result: Identity | TokenRefusal): boolean {
  return isTokenRefusal(result) && result.error === 'invalid_token';
}

function toDecision(result: Identity | TokenRefusal): Decision {
  return isTokenRefusal(result) ? toRefusal(result) : { identity: result };
}
