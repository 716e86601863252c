import { BearerToken } from '../../access/bearer-token.js';
import type { AdmissionChain, Candidate } from '../../core/admission/admission-chain.js';
import type { Verdict } from '../../core/admission/decision.js';
import type { AdminAccess } from '../admin-route.js';

/** Decides who may publish: publishers with the token of the port, and those whose identity the rules of the routes allow. */
export class PublishAccess implements AdminAccess {
  readonly #token: BearerToken;
  readonly #rules: Pick<AdmissionChain, 'decide'> | undefined;

  /**
   * @param token the token of the port, with all rights; undefined for none
   * @param rules finds identities and their rights to publish; undefined if no rule grants any
   */
  constructor(token: string | undefined, rules: Pick<AdmissionChain, 'decide'> | undefined) {
    this.#token = new BearerToken(token);
    this.#rules = rules;
  }

  decide(candidate: Candidate): Verdict | Promise<Verdict> {
    const { method, url, httpVersion, headers, socket } = candidate.request;
    const refusal = this.#token.admit({ headers });
    if (!refusal || !this.#rules) return refusal ?? {};
    // A page can make a browser send a cookie, but not `Authorization`.
    const { cookie, ...others } = headers;
    return this.#rules.decide({ ...candidate, request: { method, url, httpVersion, headers: others, socket } });
  }
}
