import { CLOSE_CODES, messageOf, toError } from '@pregon/protocol';
import { type AskingAdmission, Question } from '../../core/admission/question.js';
import type { AdmissionRequest, Decision, Identity, Refusal } from '../../core/ports/admission.js';
import type { Timers } from '../../core/time/clock.js';
import { Semaphore } from '../../core/time/semaphore.js';
import { download, type Fetch } from '../download.js';
import { maySendCookies } from '../origins.js';
import { messageToken } from '../tokens/presented-token.js';
import { REFUSED, toRefusal } from '../tokens/token-refusal.js';
import { readHookAnswer } from './hook-answer.js';
import { ADDRESS_HEADER, type HookPlan } from './hook-options.js';

/** How long the application may take for an answer, in milliseconds. */
const DEADLINE_MS = 2_000;

const MOST_BYTES = 65_536;

/** How many requests run at once; the other clients wait for their turn, each 5 seconds at most. */
const MOST_AT_ONCE = 100;

/** A value that can be in a header (RFC 6750 section 2.1). */
const TOKEN = /^[\x21-\x7e]{1,8192}$/;

/** For a client that has left, or was refused because it waited for too long. */
const UNASKED: Refusal = { status: 503, message: 'the client does not wait any longer' };

export interface HookAdmissionOptions {
  readonly plan: HookPlan;
  /** How long an identity may last at most, in milliseconds. */
  readonly mostMs: number;
  readonly timers: Timers;
  /** @default `fetch` of Node.js */
  readonly fetch?: Fetch;
}

/**
 * Asks the application who a client is, by HTTP. The application sees the cookies and the token of the client, and
 * answers with an identity, that the client is anonymous, or that it is refused. Any other answer, and none in time,
 * refuses the client with 503.
 */
export class HookAdmission implements AskingAdmission {
  readonly name = 'hook';
  readonly #options: HookAdmissionOptions;
  readonly #slots = new Semaphore(MOST_AT_ONCE);
  readonly #closing = new AbortController();

  constructor(options: HookAdmissionOptions) {
    this.#options = options;
  }

  admit(request: AdmissionRequest, known: Identity | undefined): Decision | Question {
    // A client of Socket.IO was asked for its identity when its session began. Its polls have that identity.
    if (known || !request.isNew) return undefined;
    const { headers, ticket } = request;
    // The application was asked when the ticket was issued. A page of another site has no other way in.
    if (ticket !== undefined && headers.authorization === undefined) return undefined;
    if (headers.cookie !== undefined && !maySendCookies(headers)) return toRefusal(REFUSED.origin);
    const forwarded = this.#headersFor(request);
    if ('status' in forwarded) return forwarded;
    return new Question((isNeeded) => this.#ask(forwarded.headers, isNeeded));
  }

  /** Ends all requests. Their clients are refused. */
  close(): void {
    this.#closing.abort();
  }

  #headersFor({ headers, token, remoteAddress }: AdmissionRequest): { headers: Record<string, string> } | Refusal {
    const forwarded: Record<string, string> = { accept: 'application/json', [ADDRESS_HEADER]: remoteAddress };
    for (const name of this.#options.plan.forwarded) {
      const value = headers[name];
      if (value !== undefined) forwarded[name] = Array.isArray(value) ? value.join(', ') : value;
    }
    if (headers.authorization !== undefined) return { headers: forwarded };
    const ofMessage = messageToken(token);
    if (ofMessage === undefined) return { headers: forwarded };
    if (typeof ofMessage !== 'string') return toRefusal(ofMessage);
    if (!TOKEN.test(ofMessage)) return toRefusal(REFUSED.malformed);
    return { headers: { ...forwarded, authorization: `Bearer ${ofMessage}` } };
  }

  async #ask(headers: Record<string, string>, isNeeded: () => boolean): Promise<Decision> {
    const { plan, mostMs, timers, fetch = globalThis.fetch } = this.#options;
    const done = await new Promise<() => void>((resolve) => this.#slots.take(resolve));
    try {
      if (!isNeeded()) return UNASKED;
      const limits = { deadlineMs: DEADLINE_MS, maxBytes: MOST_BYTES, signal: this.#closing.signal };
      // A revocation that comes before the answer must end what the application found before it.
      const askedAtMs = Date.now();
      const answer = await download(plan.url, { what: 'the answer', headers, fetch, timers, ...limits });
      const found = readHookAnswer(answer, askedAtMs, mostMs);
      if (found === undefined) return undefined;
      if ('status' in found)
        return found.status === 401 && !hasCredentials(headers) ? { ...found, awaitsToken: true } : found;
      return { identity: found };
    } catch (error) {
      return this.#undecided(error);
    } finally {
      done();
    }
  }

  #undecided(error: unknown): Refusal {
    const { message, cause } = toError(error);
    const why = cause === undefined ? message : `${message}: ${messageOf(cause)}`;
    return {
      status: 503,
      reason: 'hook',
      message: 'the application cannot currently decide about this client',
      remedy: `see auth.hook ${this.#options.plan.shownUrl}: ${why}`,
      headers: { 'Retry-After': '1' },
      close: CLOSE_CODES.INTERNAL_ERROR,
    };
  }
}

/** Whether the application had anything to decide by. A client of `pregon.v1` without it may still show a token. */
function hasCredentials({ authorization, cookie }: Readonly<Record<string, string>>): boolean {
  return authorization !== undefined || cookie !== undefined;
}
