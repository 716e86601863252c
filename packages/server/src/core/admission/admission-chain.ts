import { toError } from '@pregon/protocol';
import type { Admission, AdmissionRequest, Allowed, EntranceName, Identity, Refusal } from '../ports/admission.js';
import { type AddressOf, type AdmissionDetails, type HttpRequest, RequestView } from './admission-request.js';
import { isRefusal, parseDecision, type Verdict } from './decision.js';
import type { PendingAdmissions } from './pending-admissions.js';

/** The decision for all clients without an identity and rights. */
const ANONYMOUS: Allowed = Object.freeze({});

const UNDECIDED: Refusal = {
  status: 503,
  message: 'the gateway cannot currently decide whether to admit this client',
  headers: { 'Retry-After': '1' },
};

/** What one admission answered. */
type Answer = { readonly verdict: Verdict } | { readonly promise: PromiseLike<unknown> };

export interface AdmissionChainOptions {
  readonly addressOf: AddressOf;
  /** Limits how many clients wait for a promise, and for how long. */
  readonly pending: PendingAdmissions;
  /** Called if an admission throws, rejects or returns something that is not a decision. */
  readonly onFailed: (admission: string, error: Error) => void;
}

/** A client that asks for an entrance. */
export interface Candidate extends AdmissionDetails {
  readonly request: HttpRequest;
  readonly entrance: EntranceName;
  /** What an earlier decision about the same client found. */
  readonly found?: Allowed | undefined;
  /** Whether the client has left, so that no decision is needed any longer. */
  readonly isGone: () => boolean;
}

/** Asks several admissions in order, until one refuses the client. */
export class AdmissionChain {
  readonly #admissions: readonly Admission[];
  readonly #options: AdmissionChainOptions;

  constructor(admissions: readonly Admission[], options: AdmissionChainOptions) {
    this.#admissions = admissions;
    this.#options = options;
  }

  /**
   * Decides synchronously, unless an admission returns a promise. Never throws, and its promise never rejects: a
   * failure refuses the client.
   */
  decide(candidate: Candidate): Verdict | Promise<Verdict> {
    const { request, entrance, isGone, found = ANONYMOUS } = candidate;
    return this.#decide(new RequestView(request, this.#options.addressOf, entrance, candidate), isGone, 0, found);
  }

  #decide(request: AdmissionRequest, isGone: () => boolean, first: number, found: Allowed): Verdict | Promise<Verdict> {
    let allowed = found;
    for (let index = first; index < this.#admissions.length; index++) {
      const admission = this.#admissions[index];
      if (!admission) continue;
      const answer = this.#ask(admission, request, allowed.identity);
      if ('promise' in answer) return this.#wait(answer.promise, admission, request, isGone, index + 1, allowed);
      const { verdict } = answer;
      if (isRefusal(verdict)) return verdict;
      allowed = both(allowed, verdict);
    }
    return allowed;
  }

  async #wait(
    promise: PromiseLike<unknown>,
    admission: Admission,
    request: AdmissionRequest,
    isGone: () => boolean,
    next: number,
    found: Allowed,
  ): Promise<Verdict> {
    const verdict = await this.#options.pending.wait(this.#settled(admission, promise), isGone);
    if (isRefusal(verdict)) return verdict;
    return this.#decide(request, isGone, next, both(found, verdict));
  }

  #ask(admission: Admission, request: AdmissionRequest, identity: Identity | undefined): Answer {
    try {
      const decision: unknown = admission.admit(request, identity);
      return isPromise(decision) ? { promise: decision } : { verdict: parseDecision(decision) ?? ANONYMOUS };
    } catch (error) {
      return { verdict: this.#failed(admission, error) };
    }
  }

  async #settled(admission: Admission, promise: PromiseLike<unknown>): Promise<Verdict> {
    try {
      return parseDecision(await promise) ?? ANONYMOUS;
    } catch (error) {
      return this.#failed(admission, error);
    }
  }

  #failed({ name }: Admission, error: unknown): Refusal {
    this.#options.onFailed(name, toError(error));
    return UNDECIDED;
  }
}

/** An identity, or rights, of the later admission replace those of the earlier one. */
function both(earlier: Allowed, later: Allowed): Allowed {
  const identity = later.identity ?? earlier.identity;
  const rights = later.rights ?? earlier.rights;
  if (!identity && !rights) return ANONYMOUS;
  return { ...(identity ? { identity } : {}), ...(rights ? { rights } : {}) };
}

/** Also recognises promises of other libraries. */
function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
