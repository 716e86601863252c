import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf, PregonError, toError } from '@pregon/protocol';
import { growing, growingApart } from './backoff.js';
import { pause, within } from './deadline.js';
import type { AppendableLog, Relay, RelayLogger, RelayOptions, RelayState } from './relay.js';
import { type Appended, finalCode, RelayAppender, toSetAside } from './relay-appender.js';
import { NotNow, type OutboxBatch, type RefusedRow, type RelaySource } from './relay-source.js';
import { RelayRevocations } from './revocations/relay-revocations.js';

const DEFAULT_BATCH_SIZE = 500;
const DEFAULT_POLL_INTERVAL_MS = 100;
const DEFAULT_STOP_TIMEOUT_MS = 5_000;

/** Relayed rows are removed together after this time: each removal is a commit, and one per event would be costly. */
const REMOVE_AFTER_MS = 50;
/** The delay after the table was locked. */
const REMOVE_AGAIN_MS = 5;
const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 100;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5_000;

/** The next action of the loop: read again at once, rest (a wake ends it), or hold (only `stop` ends it). */
type Next = { readonly action: 'again' } | { readonly action: 'rest' | 'hold'; readonly ms: number };

/** The running relays, so that `add` can wake them. */
export type RunningRelays = Set<{ wake(): void }>;

/**
 * Why several relays on one table neither reorder nor lose events: every `append` is a run of consecutive rows. It
 * begins at the lowest row that is not removed, or right after a run that the same relay appended. So all rows below a
 * run are in the log before the run is appended: removed rows were appended before, by any relay. A log stores a run in
 * order and skips what it already holds. By induction, each event is stored once, after all events below it.
 *
 * This requires that the log still retains what a relay appends again. So its retention must be longer than the longest
 * pause of a process between read and append.
 */
export class OutboxRelay<Answer extends number | Promise<number>> implements Relay<Answer> {
  readonly #source: RelaySource<Answer>;
  readonly #appender: RelayAppender;
  readonly #revocations: RelayRevocations;
  readonly #batchSize: number;
  readonly #pollIntervalMs: number;
  readonly #stopTimeoutMs: number;
  readonly #onError: (error: Error) => void;
  readonly #logger: RelayLogger | undefined;
  readonly #running: RunningRelays;

  #state: RelayState = 'stopped';
  #run: Promise<void> | undefined;
  #stopping = false;
  /** The error that ends the relay without `stop`. */
  #final: PregonError | undefined;
  #woken = false;
  #endSleep: { readonly mayWake: boolean; readonly end: () => void } | undefined;
  /** All events up to this sequence are in the log. */
  #appended = 0;
  /** All rows up to this sequence are removed from the table. */
  #removed = 0;
  #removeAtMs = 0;
  /** Rows up to `appended` that the log refused; they are set aside when they are removed. */
  #refused: RefusedRow[] = [];
  /** The number of consecutive times that the table was in use, and that something failed. */
  #waits = 0;
  #failures = 0;
  /** The number of consecutive failures to remove rows. */
  #removalFailures = 0;

  /** @param running contains this relay while it runs */
  constructor(source: RelaySource<Answer>, options: RelayOptions, running: RunningRelays = new Set()) {
    this.#source = source;
    this.#batchSize = options.batchSize ?? DEFAULT_BATCH_SIZE;
    this.#appender = new RelayAppender(options.log, this.#batchSize);
    this.#revocations = new RelayRevocations({
      source: source.revocations,
      log: options.log,
      report: (error, message) => this.#report(error, message),
    });
    this.#pollIntervalMs = options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS;
    this.#stopTimeoutMs = options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS;
    this.#onError = options.onError ?? ((error) => process.emitWarning(error));
    this.#logger = options.logger;
    this.#running = running;
    assertOptions(options.log, this.#batchSize, this.#pollIntervalMs);
    assertMs('stopTimeoutMs', this.#stopTimeoutMs);
  }

  get state(): RelayState {
    return this.#state;
  }

  start(): void {
    if (this.#stopping) throw new TypeError('the relay is stopping: await stop() before start()');
    if (this.#run !== undefined) return;
    this.#state = 'waiting';
    this.#failures = 0;
    this.#removalFailures = 0;
    this.#running.add(this);
    this.#run = this.#loop();
  }

  wake(): void {
    this.#woken = true;
    this.#revocations.wake();
    if (this.#endSleep?.mayWake) this.#endSleep.end();
  }

  async stop(): Promise<void> {
    if (this.#run === undefined) return;
    this.#stopping = true;
    this.#endSleep?.end();
    const run = this.#run;
    await within(this.#stopTimeoutMs, run, () => {
      this.#appender.abandon();
      this.#revocations.abandon();
      return run;
    });
  }

  pending(): Answer {
    return this.#source.count(this.#appended);
  }

  lagMs(): Answer {
    return this.#source.lagMs(this.#appended);
  }

  stuck(): Answer {
    return this.#source.countStuck();
  }

  async #loop(): Promise<void> {
    try {
      this.#source.start?.(() => this.wake());
      while (!this.#stopping && this.#final === undefined) {
        const next = await this.#step();
        if (next.action === 'again') await nextTurn();
        else await this.#sleep(next.ms, next.action === 'rest');
      }
      await this.#removeRelayed();
    } catch (error) {
      // The rows that are left in the table are appended again at the next start, and the log recognizes them.
      this.#report(error, 'relayed rows could not be removed');
    } finally {
      await this.#leave();
    }
  }

  async #leave(): Promise<void> {
    try {
      await this.#source.stop?.();
    } catch (error) {
      this.#report(error, 'the relay could not release its table; another relay takes over a little later');
    } finally {
      this.#end();
    }
  }

  /** From here on, the relay may be started again. */
  #end(): void {
    const final = this.#final;
    this.#final = undefined;
    this.#stopping = false;
    this.#appender.begin();
    this.#revocations.begin();
    this.#run = undefined;
    this.#running.delete(this);
    this.#state = final === undefined ? 'stopped' : 'failed';
    if (final !== undefined) this.#report(final, 'the relay stopped; no event is skipped');
  }

  async #step(): Promise<Next> {
    try {
      this.#woken = false;
      if (this.#revocations.isDue) await this.#revocations.relay();
      const reading = this.#source.read(this.#appended, this.#appender.atOnce);
      // A synchronous result is not awaited: then read and append happen in one turn of the event loop, which keeps the
      // pause between them short; see the class.
      const batch = reading instanceof Promise ? await reading : reading;
      this.#waits = 0;
      if (batch.anew !== undefined) this.#beginAnew(batch.anew);
      if (batch.standby) return this.#standBy(batch);
      if (batch.events.length === 0 && batch.unreadable === undefined) return await this.#atRest(batch);
      this.#note(batch, await this.#append(batch));
      await this.#removeIfDue();
      return { action: 'again' };
    } catch (error) {
      return this.#afterError(error);
    }
  }

  async #append({ events }: OutboxBatch): Promise<Appended> {
    if (this.#failures === 0) this.#state = 'relaying';
    try {
      return await this.#appender.append(events);
    } catch (error) {
      this.#source.stepAside?.();
      throw error;
    }
  }

  #note({ through, unreadable = [] }: OutboxBatch, appended: Appended): void {
    if (appended.outcome === 'abandoned') {
      const late = new Error(`the log did not answer within ${this.#stopTimeoutMs} ms of stop()`);
      this.#report(late, 'the relay stopped during a batch, which the next start appends again');
    }
    if (appended.outcome === 'abandoned' || appended.outcome === 'split') return;
    this.#recovered();
    if (this.#removed === this.#appended && this.#removalFailures === 0) {
      this.#removeAtMs = performance.now() + REMOVE_AFTER_MS;
    }
    this.#appended = through;
    this.#refused.push(...unreadable);
    if (appended.outcome === 'refused') this.#refused.push(appended.row);
  }

  #beginAnew(why: string): void {
    this.#logger?.info({ table: this.#source.name, sequence: this.#appended }, why);
    this.#revocations.begin();
    this.#forget();
  }

  #forget(): void {
    this.#appended = 0;
    this.#removed = 0;
    this.#refused = [];
  }

  #standBy(batch: OutboxBatch): Next {
    this.#recovered();
    this.#state = 'standby';
    this.#forget();
    return { action: 'rest', ms: batch.restMs ?? this.#pollIntervalMs };
  }

  async #atRest(batch: OutboxBatch): Promise<Next> {
    this.#recovered();
    await this.#removeIfDue();
    this.#state = this.#removalFailures > 0 || this.#revocations.isFailing ? 'retrying' : 'idle';
    const restMs = Math.min(batch.restMs ?? this.#pollIntervalMs, this.#revocations.restMs);
    const removalMs = Math.max(1, this.#removeAtMs - performance.now());
    return { action: 'rest', ms: this.#removed < this.#appended ? Math.min(restMs, removalMs) : restMs };
  }

  #isRemovalDue(): boolean {
    if (this.#removed === this.#appended) return false;
    if (performance.now() >= this.#removeAtMs) return true;
    if (this.#removalFailures > 0) return false;
    return this.#refused.length > 0 || this.#appended - this.#removed >= this.#batchSize;
  }

  /**
   * A failure of the removal alone, for example a missing right, is reported once and retried with backoff. Rows that
   * are relayed but cannot be removed do not block the relay.
   */
  async #removeIfDue(): Promise<void> {
    if (!this.#isRemovalDue()) return;
    try {
      await this.#removeRelayed();
      this.#removalFailures = 0;
    } catch (error) {
      this.#removeAtMs = performance.now() + growing(FIRST_RETRY_MS, LONGEST_RETRY_MS, this.#removalFailures++);
      if (this.#removalFailures === 1) throw error;
    }
  }

  /** Removal is not urgent: if the table is locked, the rows stay until later, and relaying continues. */
  async #removeRelayed(): Promise<void> {
    const through = this.#appended;
    if (this.#removed === through) return;
    const refused = this.#refused;
    try {
      const removing = this.#source.remove(through, refused);
      if (removing instanceof Promise) await removing;
      this.#removed = through;
      this.#refused = [];
      for (const row of refused) this.#tellSetAside(row);
    } catch (error) {
      if (!(error instanceof NotNow)) throw error;
      this.#removeAtMs = performance.now() + REMOVE_AGAIN_MS;
    }
  }

  #tellSetAside(row: RefusedRow): void {
    const error = toSetAside(this.#source.name, row);
    const { sequence, id, code } = row;
    this.#logger?.error({ table: this.#source.name, sequence, id, code, err: error }, 'an event was set aside');
    this.#tell(error);
  }

  #afterError(error: unknown): Next {
    if (error instanceof NotNow) {
      if (this.#failures === 0) this.#state = 'waiting';
      return { action: 'hold', ms: growing(FIRST_WAIT_MS, LONGEST_WAIT_MS, this.#waits++) };
    }
    const code = finalCode(error);
    if (code !== undefined) {
      const message = `the relay of ${this.#source.name} stopped after sequence ${this.#appended}: ${messageOf(error)}`;
      this.#final = new PregonError(code, message, { cause: error });
      return { action: 'again' };
    }
    this.#state = 'retrying';
    if (this.#failures === 0) this.#report(error, 'the relay cannot continue for now and retries');
    return { action: 'hold', ms: growingApart(FIRST_RETRY_MS, LONGEST_RETRY_MS, this.#failures++) };
  }

  #recovered(): void {
    if (this.#failures > 0) this.#logger?.info({ attempts: this.#failures }, `${this.#source.name} is relayed again`);
    this.#failures = 0;
  }

  #report(thrown: unknown, message: string): void {
    const error = toError(thrown);
    if (this.#state === 'failed') this.#logger?.error({ err: error, table: this.#source.name }, message);
    else this.#logger?.warn({ err: error, table: this.#source.name }, message);
    this.#tell(error);
  }

  /** Calls back in a separate turn, so that an error of the callback does not end the relay. */
  #tell(error: Error): void {
    setImmediate(() => this.#onError(error));
  }

  async #sleep(ms: number, mayWake: boolean): Promise<void> {
    if (this.#stopping || (mayWake && this.#woken)) return;
    const ended = new AbortController();
    this.#endSleep = { mayWake, end: () => ended.abort() };
    await pause(ms, ended.signal);
    this.#endSleep = undefined;
  }
}

function assertOptions(log: AppendableLog, batchSize: number, pollIntervalMs: number): void {
  if (typeof log?.append !== 'function') throw new TypeError('log must have an append(events) method');
  if (!Number.isSafeInteger(batchSize) || batchSize < 1)
    throw new RangeError('batchSize must be an integer of at least 1');
  assertMs('pollIntervalMs', pollIntervalMs);
}

function assertMs(name: string, value: number): void {
  if (!(value >= 1 && value <= 0x7fffffff)) throw new RangeError(`${name} must be from 1 to 2147483647 milliseconds`);
}
