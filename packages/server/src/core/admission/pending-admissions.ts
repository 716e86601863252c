import type { Refusal } from '../ports/admission.js';
import type { Clock } from '../time/clock.js';
import { within } from '../time/deadline.js';
import type { Verdict } from './decision.js';

/** How many clients may wait for a decision at once: some 5 MB of requests and sockets. */
const MOST_PENDING = 1_000;

/** How long a client waits at most. */
const DEADLINE_MS = 5_000;

const TOO_MANY: Refusal = {
  status: 503,
  reason: 'admission',
  message: 'too many clients wait to be admitted',
  remedy: 'an admission takes long to decide; make it faster, or run more gateways',
  headers: { 'Retry-After': '1' },
};

const TOO_LATE: Refusal = {
  status: 503,
  reason: 'admission',
  message: 'it took too long to decide whether this client is admitted',
  remedy: 'an admission has not decided in time; see why it is slow',
  headers: { 'Retry-After': '1' },
};

/** Not logged: nobody is there to be told. */
const GONE: Refusal = { status: 503, message: 'the client has left' };

export interface PendingAdmissionsOptions {
  readonly clock: Clock;
  /**
   * Calls back when there is room in a turn of the event loop. Decisions of many clients can come at the same moment, for example if a
   * session store answers again after an outage; connecting them all in one turn would hold up the events of everybody else.
   */
  readonly pace: (resume: () => void) => void;
  /** @default 1000 */
  readonly mostPending?: number;
  /** @default 5000 */
  readonly deadlineMs?: number;
}

/** The clients that wait for an admission to decide. */
export class PendingAdmissions {
  readonly #options: PendingAdmissionsOptions;
  #count = 0;

  constructor(options: PendingAdmissionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** Resolves with the decision, or a refusal if there are too many or it comes too late. @param decision must not reject */
  async wait(decision: Promise<Verdict>, isGone: () => boolean): Promise<Verdict> {
    const { clock, pace, mostPending = MOST_PENDING, deadlineMs = DEADLINE_MS } = this.#options;
    if (this.#count >= mostPending) return TOO_MANY;
    this.#count += 1;
    try {
      const verdict = await within(deadlineMs, decision, () => TOO_LATE, clock);
      if (!isGone()) await new Promise<void>((resolve) => pace(resolve));
      // Nothing of the client's own can happen between here and the caller's next step.
      return isGone() ? GONE : verdict;
    } finally {
      this.#count -= 1;
    }
  }
}
