import { BearerToken } from '../../access/bearer-token.js';
import type { AccessLimits } from '../../access/limits/access-limits.js';
import type { AdmissionChain, Candidate } from '../../core/admission/admission-chain.js';
import type { Verdict } from '../../core/admission/decision.js';
import type { AdminAccess } from '../admin-route.js';

export interface PublishAccessOptions {
  /** The token of the port, with all rights. @default there is none */
  readonly token?: string | undefined;
  /** Finds identities and their rights to publish. @default no rule grants any */
  readonly rules?: Pick<AdmissionChain, 'decide'> | undefined;
  /** Limits how many tokens of one address may be refused. @default no limit */
  readonly limits?: AccessLimits | undefined;
}

/** Decides who may publish: publishers with the token of the port, and those whose identity the rules of the routes allow. */
export class PublishAccess implements AdminAccess {
  readonly #token: BearerToken;
  readonly #rules: Pick<AdmissionChain, 'decide'> | undefined;

  readonly #limits: PublishAccessOptions['limits'];

  constructor({ token, rules, limits }: PublishAccessOptions) {
    // With rules, a token that is not that of the port may be that of an identity, and the rules count it if it is wrong.
    this.#token = new BearerToken(token, rules ? undefined : limits?.failures);
    this.#rules = rules;
    this.#limits = limits;
  }

  decide(candidate: Candidate): Verdict | Promise<Verdict> {
    const { method, url, httpVersion, headers, socket } = candidate.request;
    const remoteAddress = this.#limits?.clients.addressOf(candidate.request) ?? 'unknown';
    const refusal = this.#token.admit({ headers, remoteAddress });
    if (!refusal || !this.#rules) return refusal ?? {};
    // A page can make a browser send a cookie, but not `Authorization`.
    const { cookie, ...others } = headers;
    return this.#rules.decide({ ...candidate, request: { method, url, httpVersion, headers: others, socket } });
  }
}
