import type { Refusal } from '../ports/admission.js';
import type { Clock } from '../time/clock.js';
import { within } from '../time/deadline.js';
import type { HttpRequest } from './admission-request.js';
import type { Clients } from './clients.js';
import type { Verdict } from './decision.js';

/** 1,000 waiting clients take about 5 MB, for requests and sockets. */
const MOST_PENDING = 1_000;

/** How long a client may wait, in milliseconds. */
const DEADLINE_MS = 5_000;

const TOO_MANY: Refusal = {
  status: 503,
  reason: 'admission',
  message: 'too many clients wait to be admitted',
  remedy: 'an admission is slow to decide; make it faster, run more gateways, or raise maxPending',
  headers: { 'Retry-After': '1' },
};

const TOO_LATE: Refusal = {
  status: 503,
  reason: 'admission',
  message: 'it took too long to decide whether this client is admitted',
  remedy: 'an admission did not decide before the deadline; find out why it is slow',
  headers: { 'Retry-After': '1' },
};

/** Has no reason, so it is not logged: the client is no longer there. */
const GONE: Refusal = { status: 503, message: 'the client has left' };

/** A client that waits. */
interface WaitingClient {
  /** The request for which it counts. */
  readonly client: HttpRequest;
  readonly isGone: () => boolean;
}

/** The place of one client among those that wait. */
export class Place {
  readonly client: HttpRequest;
  readonly isGone: () => boolean;
  isLate = false;

  constructor({ client, isGone }: WaitingClient) {
    this.client = client;
    this.isGone = isGone;
  }

  /** Whether the client still waits for a decision. */
  readonly isNeeded = (): boolean => !this.isLate && !this.isGone();
}

export interface PendingAdmissionsOptions {
  /** Limits how many clients of one address wait. */
  readonly clients: Pick<Clients, 'waits' | 'waited'>;
  readonly clock: Clock;
  /**
   * Calls back when an event loop turn has time for another client. Many decisions can arrive at the same moment, for
   * example when a session store answers again after an outage. Connecting all those clients in one turn would delay
   * events for everybody else.
   */
  readonly pace: (resume: () => void) => void;
  /** @default 1000 */
  readonly mostPending?: number;
  /** @default 5000 */
  readonly deadlineMs?: number;
}

/** Limits the clients that wait for the decision of an admission. */
export class PendingAdmissions {
  readonly #options: PendingAdmissionsOptions;
  #count = 0;

  constructor(options: PendingAdmissionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Takes a place for a client. The caller then calls `wait` or `leave`, once.
   *
   * @returns a refusal if too many clients wait, in total or of one address
   */
  enter(waiting: WaitingClient): Place | Refusal {
    const { clients, mostPending = MOST_PENDING } = this.#options;
    if (this.#count >= mostPending) return TOO_MANY;
    const refusal = clients.waits(waiting.client);
    if (refusal) return refusal;
    this.#count += 1;
    return new Place(waiting);
  }

  /** Ends a place whose client need not wait. */
  leave({ client }: Place): void {
    this.#options.clients.waited(client);
    this.#count -= 1;
  }

  /**
   * Resolves with the decision, or with a refusal if the deadline passes. Ends the place.
   *
   * @param decision must not reject
   */
  async wait(decision: Promise<Verdict>, place: Place): Promise<Verdict> {
    const { clients, clock, pace, deadlineMs = DEADLINE_MS } = this.#options;
    const { client, isGone } = place;
    const onLate = () => {
      place.isLate = true;
      return TOO_LATE;
    };
    try {
      const verdict = await within(deadlineMs, decision, onLate, clock);
      // The wait for a turn is the gateway's own delay, and does not depend on the address.
      clients.waited(client);
      if (!isGone()) await new Promise<void>((resolve) => pace(resolve));
      // The client cannot leave between this check and the caller's next step.
      return isGone() ? GONE : verdict;
    } finally {
      this.#count -= 1;
    }
  }
}
