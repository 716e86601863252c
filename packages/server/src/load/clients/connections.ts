import { pause } from '../../core/time/deadline.js';
import { DeliveryCheck } from '../check/delivery-check.js';
import { Histogram } from '../check/histogram.js';
import type { Sightings } from '../check/sightings.js';
import type { Tally } from '../check/tally.js';
import type { Failure } from '../failure.js';
import type { TopicPlan } from '../topic-plan.js';
import { type ConnectionTarget, LoadConnection } from './connection.js';

/** How often connections that are due are opened. */
const TICK_MS = 10;

/** How many attempts a connection has that was never open. One that was open reconnects until the end of the run. */
const MAX_ATTEMPTS = 5;

const MIN_BACKOFF_MS = 500;

/** Shorter than the patience of a run, so that a connection in backoff is not given up. */
const MAX_BACKOFF_MS = 3_000;

const CLOSE_TIMEOUT_MS = 2_000;

export interface ConnectionsOptions {
  readonly count: number;
  readonly target: ConnectionTarget;
  readonly plan: TopicPlan;
  readonly sightings: Sightings;
  readonly tally: Tally;
  /** Returns the number of the next event to publish. */
  readonly nextNumber: () => number;
}

interface Member {
  readonly connection: LoadConnection;
  readonly check: DeliveryCheck;
  attempts: number;
  wasOpen: boolean;
  /** Whether no more attempts are made. */
  failed: boolean;
  retry: NodeJS.Timeout | undefined;
}

/** All connections of a run. They are opened at a rate and kept open, and the events of each are checked. */
export class Connections {
  /** Microseconds from the start of an attempt to the end of its handshake. */
  readonly handshake = new Histogram();
  /** Attempts that failed, by reason. */
  readonly failures = new Map<string, number>();
  /** Closes of open connections, by reason; a connection may count several times. */
  readonly losses = new Map<string, number>();
  readonly advice = new Map<string, string>();
  /** How often a connection was opened again. */
  resumed = 0;
  /** How often a position could not be served. */
  resets = 0;
  /** The time until each connection was open or given up. */
  openingMs = 0;
  readonly #options: ConnectionsOptions;
  readonly #members: Member[] = [];
  #open = 0;
  #everOpened = 0;
  #stopping = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  get asked(): number {
    return this.#options.count;
  }

  get open(): number {
    return this.#open;
  }

  get everOpened(): number {
    return this.#everOpened;
  }

  /**
   * Opens the first connection alone, because a failure of it applies to all. Stops waiting if `stop` is aborted.
   *
   * @returns why it cannot be opened; undefined if it was opened
   */
  openFirst(stop: AbortSignal): Promise<Failure | undefined> {
    return new Promise((resolve) => {
      stop.addEventListener('abort', () => resolve(undefined), { once: true });
      this.#add(0, resolve);
    });
  }

  /** Opens the others, `rate` per second; resolves when each is open or given up, or `stop` is aborted. */
  async openOthers(rate: number, stop: AbortSignal): Promise<void> {
    const { count } = this.#options;
    const startedAt = performance.now();
    while (this.#members.length < count && !stop.aborted) {
      const due = Math.min(count, 1 + Math.ceil(((performance.now() - startedAt) / 1_000) * rate));
      while (this.#members.length < due) this.#add(this.#members.length);
      if (this.#members.length < count) await pause(TICK_MS);
    }
    while (this.#members.some((member) => !member.wasOpen && !member.failed) && !stop.aborted) await pause(TICK_MS);
    this.openingMs = performance.now() - startedAt;
  }

  /** Drops all connections at once and reopens all at once. @returns how many connections there were */
  storm(): number {
    const open = this.#members.filter(({ connection }) => connection.isOpen);
    for (const { connection } of open) connection.drop();
    this.#open -= open.length;
    for (const member of open) this.#attempt(member);
    return open.length;
  }

  /** Whether each connection that is open has all events with numbers below `end`. */
  complete(end: number): boolean {
    return this.#members.every(({ connection, check }) => !connection.isOpen || check.complete(end));
  }

  /** How many events are missing on the open connections (`lost`), and on the closed ones (`undelivered`). */
  missing(end: number, excepted: ReadonlySet<number>): { lost: number; undelivered: number } {
    let lost = 0;
    let undelivered = 0;
    for (const [index, { connection, check, wasOpen }] of this.#members.entries()) {
      const count = wasOpen ? check.missing(end, excepted) : 0;
      if (!connection.isOpen) undelivered += count;
      else if (count > 0) {
        lost += count;
        const number = check.firstMissing(end, excepted);
        this.#options.tally.find({ fault: 'lost', connection: index + 1, number, position: undefined });
      }
    }
    return { lost, undelivered };
  }

  /** How many deliveries of events with numbers below `end` were expected in total, without `excepted`. */
  expected(end: number, excepted: ReadonlySet<number>): number {
    return this.#members.reduce((sum, { check, wasOpen }) => sum + (wasOpen ? check.expected(end, excepted) : 0), 0);
  }

  async close(): Promise<void> {
    this.#stopping = true;
    for (const { retry } of this.#members) clearTimeout(retry);
    await Promise.all(this.#members.map(({ connection }) => connection.close(CLOSE_TIMEOUT_MS)));
  }

  #add(index: number, first?: (failure: Failure | undefined) => void): void {
    const { target, plan, sightings, tally } = this.#options;
    const check = new DeliveryCheck(plan.turnsOf(index));
    const connection = new LoadConnection(target, plan.patternsOf(index), {
      opened: (handshakeMs) => {
        this.#opened(member, handshakeMs);
        first?.(undefined);
      },
      failed: (failure) => {
        count(this.failures, failure.reason);
        first?.(failure);
        this.#retry(member, failure);
      },
      lost: (failure) => {
        this.#open -= 1;
        count(this.losses, failure.reason);
        this.#retry(member, failure);
      },
      reset: () => {
        this.resets += 1;
        check.begin(this.#options.nextNumber());
      },
      frame: (bytes) => {
        const sighting = sightings.read(bytes);
        if (!sighting) return tally.message(bytes.length);
        connection.position = sighting.position;
        tally.event(index, check, sighting, bytes.length);
      },
    });
    const member: Member = { connection, check, attempts: 0, wasOpen: false, failed: false, retry: undefined };
    this.#members.push(member);
    this.#attempt(member);
  }

  #attempt(member: Member): void {
    member.retry = undefined;
    member.attempts += 1;
    member.connection.open();
  }

  #opened(member: Member, handshakeMs: number): void {
    this.#open += 1;
    this.handshake.record(handshakeMs * 1_000);
    member.attempts = 0;
    // Without a position, the connection starts live and does not get earlier events.
    if (!member.wasOpen || member.connection.position === undefined) member.check.begin(this.#options.nextNumber());
    if (member.wasOpen) this.resumed += 1;
    else this.#everOpened += 1;
    member.wasOpen = true;
  }

  #retry(member: Member, failure: Failure): void {
    if (failure.advice !== undefined) this.advice.set(failure.reason, failure.advice);
    member.failed = !failure.retry || (!member.wasOpen && member.attempts >= MAX_ATTEMPTS);
    if (member.failed || this.#stopping) return;
    const limit = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** Math.max(0, member.attempts - 1));
    const pauseMs = (failure.afterMs ?? 0) + Math.random() * limit;
    member.retry = setTimeout(() => this.#attempt(member), pauseMs);
  }
}

function count(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
