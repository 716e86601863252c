import { toError } from '@pregon/protocol';
import type { AdmissionRequest, Allowed, EntranceName, Identity, Refusal } from '../ports/admission.js';
import { isPromiseLike } from '../promise-like.js';
import { type HttpRequest, RequestView, type ViewDetails } from './admission-request.js';
import type { Clients } from './clients.js';
import { isRefusal, parseDecision, type Verdict } from './decision.js';
import { type PendingAdmissions, Place } from './pending-admissions.js';
import { type AskingAdmission, Question } from './question.js';

/** The decision for all clients without an identity and rights. */
const ANONYMOUS: Allowed = Object.freeze({});

const UNDECIDED: Refusal = {
  status: 503,
  message: 'the gateway cannot currently decide whether to admit this client',
  headers: { 'Retry-After': '1' },
};

export interface AdmissionChainOptions {
  /** Knows the addresses of clients, and counts new ones. */
  readonly clients: Clients;
  /** Limits how many clients wait for a promise, and for how long. */
  readonly pending: PendingAdmissions;
  /** The time of day, in milliseconds since 1970-01-01 UTC. */
  readonly wallClock: () => number;
  /** Called if an admission throws, rejects or returns something that is not a decision. */
  readonly onFailed: (admission: string, error: Error) => void;
}

/** A client that asks for an entrance. */
export interface Candidate extends ViewDetails {
  readonly request: HttpRequest;
  readonly entrance: EntranceName;
  /** The request for which the client counts, if it is another one. @default `request` */
  readonly client?: HttpRequest;
  /** What an earlier decision about the same client found. */
  readonly found?: Allowed | undefined;
  /** Whether the client has left, so that no decision is needed any longer. */
  readonly isGone: () => boolean;
}

/**
 * Asks several admissions in order, until one refuses the client.
 *
 * An identity without a time of issue gets the time at which its admission was asked: what the answer rests on may be as
 * old. So a revocation that comes before the answer ends the identity, and a new question finds what is true after it.
 */
export class AdmissionChain {
  readonly #admissions: readonly AskingAdmission[];
  readonly #options: AdmissionChainOptions;

  constructor(admissions: readonly AskingAdmission[], options: AdmissionChainOptions) {
    this.#admissions = admissions;
    this.#options = options;
  }

  /**
   * Decides synchronously, unless an admission returns a promise. Never throws, and its promise never rejects: a
   * failure refuses the client.
   */
  decide(candidate: Candidate): Verdict | Promise<Verdict> {
    const { request, client = request, entrance, found = ANONYMOUS, isNew = true, connection } = candidate;
    const { clients } = this.#options;
    // A client with an open connection is no new client.
    const refusal = isNew && !connection ? clients.arrived(client) : undefined;
    if (refusal) return refusal;
    const verdict = this.#ask(new RequestView(request, clients.addressOf, entrance, candidate), candidate, 0, found);
    if (!isNew) return verdict;
    if (!(verdict instanceof Promise)) return this.#identified(candidate, verdict);
    return verdict.then((late) => this.#identified(candidate, late));
  }

  /** A session of Socket.IO counts for the identity with which it enters a namespace, whose rules can lift the limit. */
  #identified({ request, client = request, entrance: { kind }, connection }: Candidate, verdict: Verdict): Verdict {
    if (isRefusal(verdict) || kind === 'socket.io' || connection?.identity) return verdict;
    return this.#options.clients.identified(client, verdict) ?? verdict;
  }

  #ask(request: AdmissionRequest, candidate: Candidate, first: number, found: Allowed): Verdict | Promise<Verdict> {
    let allowed = found;
    for (let index = first; index < this.#admissions.length; index++) {
      const admission = this.#admissions[index];
      if (!admission) continue;
      const answer = this.#answer(admission, request, allowed.identity);
      const isDecided = !(answer instanceof Promise || answer instanceof Question);
      const verdict = isDecided ? answer : this.#withPlace(admission, answer, candidate);
      if (verdict instanceof Promise) return this.#goOn(verdict, request, candidate, index + 1, allowed);
      if (isRefusal(verdict)) return verdict;
      allowed = both(allowed, verdict);
    }
    return allowed;
  }

  async #goOn(
    late: Promise<Verdict>,
    request: AdmissionRequest,
    candidate: Candidate,
    next: number,
    found: Allowed,
  ): Promise<Verdict> {
    const verdict = await late;
    if (isRefusal(verdict)) return verdict;
    return this.#ask(request, candidate, next, both(found, verdict));
  }

  /** Refuses the client if too many others wait. A question is not asked then. */
  #withPlace(
    admission: AskingAdmission,
    answer: Promise<Verdict> | Question,
    { request, client = request, isGone }: Candidate,
  ): Verdict | Promise<Verdict> {
    const { pending } = this.#options;
    const place = pending.enter({ client, isGone });
    if (!(place instanceof Place)) return place;
    const decision = answer instanceof Question ? this.#askedFor(admission, answer, place) : answer;
    if (decision instanceof Promise) return pending.wait(decision, place);
    pending.leave(place);
    return decision;
  }

  #answer(
    admission: AskingAdmission,
    request: AdmissionRequest,
    identity: Identity | undefined,
  ): Verdict | Promise<Verdict> | Question {
    try {
      const askedAtMs = this.#options.wallClock();
      const answer = admission.admit(request, identity);
      return answer instanceof Question ? answer : this.#parsed(admission, answer, askedAtMs);
    } catch (error) {
      return this.#failed(admission, error);
    }
  }

  #askedFor(admission: AskingAdmission, question: Question, { isNeeded }: Place): Verdict | Promise<Verdict> {
    try {
      const askedAtMs = this.#options.wallClock();
      return this.#parsed(admission, question.ask(isNeeded), askedAtMs);
    } catch (error) {
      return this.#failed(admission, error);
    }
  }

  /** @throws TypeError if the value is neither a decision nor a promise */
  #parsed(admission: AskingAdmission, decision: unknown, askedAtMs: number): Verdict | Promise<Verdict> {
    return isPromiseLike(decision) ? this.#settled(admission, decision, askedAtMs) : verdictOf(decision, askedAtMs);
  }

  async #settled(admission: AskingAdmission, promise: PromiseLike<unknown>, askedAtMs: number): Promise<Verdict> {
    try {
      return verdictOf(await promise, askedAtMs);
    } catch (error) {
      return this.#failed(admission, error);
    }
  }

  #failed({ name }: AskingAdmission, error: unknown): Refusal {
    this.#options.onFailed(name, toError(error));
    return UNDECIDED;
  }
}

/** @throws TypeError if it is not a decision */
function verdictOf(decision: unknown, askedAtMs: number): Verdict {
  const verdict = parseDecision(decision) ?? ANONYMOUS;
  if (isRefusal(verdict) || !verdict.identity || verdict.identity.issuedAtMs !== undefined) return verdict;
  return { ...verdict, identity: { ...verdict.identity, issuedAtMs: askedAtMs } };
}

/** An identity, or rights, of the later admission replace those of the earlier one. */
function both(earlier: Allowed, later: Allowed): Allowed {
  const identity = later.identity ?? earlier.identity;
  const rights = later.rights ?? earlier.rights;
  if (!identity && !rights) return ANONYMOUS;
  return { ...(identity ? { identity } : {}), ...(rights ? { rights } : {}) };
}
