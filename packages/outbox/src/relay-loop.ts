import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ErrorCode, isErrorCode, PregonError } from '@pregon/protocol';
import type { AppendableLog, Relay, RelayLogger, RelayOptions, RelayState } from './relay.js';
import { NotNow, type OutboxBatch, type RelaySource } from './relay-source.js';

const DEFAULT_BATCH_SIZE = 500;
const DEFAULT_POLL_INTERVAL_MS = 100;

/** Relayed rows are removed together after this time: a removal is a commit, and need not be one for each event. */
const REMOVE_AFTER_MS = 50;
/** Where the table was locked at that instant. */
const REMOVE_AGAIN_MS = 5;
const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 100;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5_000;

/** What the loop does next: look again at once, rest (a wake ends it), or hold off (only `stop` ends it). */
type Next = { readonly action: 'again' } | { readonly action: 'rest' | 'hold'; readonly ms: number };

/** Those that run, for whoever wakes them. */
export type RunningRelays = Set<{ wake(): void }>;

/**
 * Why several relays on one table neither reorder nor lose. Every `append` is a run of consecutive rows that begins at the lowest row
 * not yet removed, or right after a run that the same relay appended. So all rows below a run are in the log before the run is
 * appended: removed rows were appended before, by whichever relay. A log stores a run in order and leaves out what it
 * holds; hence by induction each event is stored after all those below it, once. What this rests on: the log still
 * retains what a relay appends again, so its retention must be longer than the longest pause of a process between read and append.
 */
export class OutboxRelay<Answer extends number | Promise<number>> implements Relay<Answer> {
  readonly #source: RelaySource<Answer>;
  readonly #log: AppendableLog;
  readonly #batchSize: number;
  readonly #pollIntervalMs: number;
  readonly #onError: (error: Error) => void;
  readonly #logger: RelayLogger | undefined;
  readonly #running: RunningRelays;

  #state: RelayState = 'stopped';
  #run: Promise<void> | undefined;
  #stopping = false;
  /** What ends it without `stop`. */
  #final: PregonError | undefined;
  #woken = false;
  #endSleep: { readonly mayWake: boolean; readonly end: () => void } | undefined;
  /** All up to here is in the log. */
  #appended = 0;
  /** All up to here is gone from the table. */
  #removed = 0;
  #removeAtMs = 0;
  /** How often in a row the table was not free, and how often something failed. */
  #waits = 0;
  #failures = 0;

  /** @param running holds this relay while it runs */
  constructor(source: RelaySource<Answer>, options: RelayOptions, running: RunningRelays = new Set()) {
    this.#source = source;
    this.#log = options.log;
    this.#batchSize = options.batchSize ?? DEFAULT_BATCH_SIZE;
    this.#pollIntervalMs = options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS;
    this.#onError = options.onError ?? ((error) => process.emitWarning(error));
    this.#logger = options.logger;
    this.#running = running;
    assertOptions(options.log, this.#batchSize, this.#pollIntervalMs);
  }

  get state(): RelayState {
    return this.#state;
  }

  start(): void {
    if (this.#stopping) throw new TypeError('the relay is stopping: await stop() before start()');
    if (this.#run !== undefined) return;
    this.#state = 'waiting';
    this.#failures = 0;
    this.#running.add(this);
    this.#run = this.#loop();
  }

  wake(): void {
    this.#woken = true;
    if (this.#endSleep?.mayWake) this.#endSleep.end();
  }

  async stop(): Promise<void> {
    if (this.#run === undefined) return;
    this.#stopping = true;
    this.#endSleep?.end();
    await this.#run;
  }

  pending(): Answer {
    return this.#source.count(this.#appended);
  }

  lagMs(): Answer {
    return this.#source.lagMs(this.#appended);
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
      // What is left in the table is appended again on the next start, and the log knows it.
      this.#report(error, 'relayed rows could not be removed');
    } finally {
      await this.#leave();
    }
  }

  async #leave(): Promise<void> {
    try {
      await this.#source.stop?.();
    } catch (error) {
      this.#report(error, 'the relay could not take leave of its table; others take over a little later');
    } finally {
      this.#end();
    }
  }

  /** From here on it may be started again. */
  #end(): void {
    const final = this.#final;
    this.#final = undefined;
    this.#stopping = false;
    this.#run = undefined;
    this.#running.delete(this);
    this.#state = final === undefined ? 'stopped' : 'failed';
    if (final !== undefined) this.#report(final, 'the relay stopped; nothing is skipped');
  }

  async #step(): Promise<Next> {
    try {
      this.#woken = false;
      const reading = this.#source.read(this.#appended, this.#batchSize);
      // What is there at once is not awaited: read and append are of one turn of the event loop then, which keeps the pause between
      // them short; see the class.
      const batch = reading instanceof Promise ? await reading : reading;
      this.#waits = 0;
      if (batch.anew !== undefined) this.#beginAnew(batch.anew);
      if (batch.standby) return this.#standBy(batch);
      if (batch.events.length === 0) return await this.#atRest(batch);
      await this.#relay(batch);
      return { action: 'again' };
    } catch (error) {
      return this.#afterError(error);
    }
  }

  async #relay(batch: OutboxBatch): Promise<void> {
    if (this.#failures === 0) this.#state = 'relaying';
    try {
      await this.#log.append(batch.events, { points: false });
    } catch (error) {
      this.#source.stepAside?.();
      throw error;
    }
    this.#noteAppended(batch.through);
    this.#recovered();
    if (this.#isRemovalDue()) await this.#removeRelayed();
  }

  #beginAnew(why: string): void {
    this.#logger?.info({ table: this.#source.name, sequence: this.#appended }, why);
    this.#appended = 0;
    this.#removed = 0;
  }

  #standBy(batch: OutboxBatch): Next {
    this.#recovered();
    this.#state = 'standby';
    this.#appended = 0;
    this.#removed = 0;
    return { action: 'rest', ms: batch.restMs ?? this.#pollIntervalMs };
  }

  async #atRest(batch: OutboxBatch): Promise<Next> {
    this.#recovered();
    if (this.#isRemovalDue()) await this.#removeRelayed();
    this.#state = 'idle';
    const restMs = batch.restMs ?? this.#pollIntervalMs;
    const removalMs = Math.max(1, this.#removeAtMs - performance.now());
    return { action: 'rest', ms: this.#removed < this.#appended ? Math.min(restMs, removalMs) : restMs };
  }

  #noteAppended(through: number): void {
    if (this.#removed === this.#appended) this.#removeAtMs = performance.now() + REMOVE_AFTER_MS;
    this.#appended = through;
  }

  #isRemovalDue(): boolean {
    if (this.#removed === this.#appended) return false;
    return performance.now() >= this.#removeAtMs || this.#appended - this.#removed >= this.#batchSize;
  }

  /** Without haste: where the table is locked, the rows stay until later, and relaying goes on meanwhile. */
  async #removeRelayed(): Promise<void> {
    const through = this.#appended;
    if (this.#removed === through) return;
    try {
      const removing = this.#source.remove(through);
      if (removing instanceof Promise) await removing;
      this.#removed = through;
    } catch (error) {
      if (!(error instanceof NotNow)) throw error;
      this.#removeAtMs = performance.now() + REMOVE_AGAIN_MS;
    }
  }

  #afterError(error: unknown): Next {
    if (error instanceof NotNow) {
      if (this.#failures === 0) this.#state = 'waiting';
      return { action: 'hold', ms: growing(FIRST_WAIT_MS, LONGEST_WAIT_MS, this.#waits++) };
    }
    const code = finalCode(error);
    if (code !== undefined) {
      const message = `the relay of ${this.#source.name} stopped after sequence ${this.#appended}: ${String(error)}`;
      this.#final = new PregonError(code, message, { cause: error });
      return { action: 'again' };
    }
    this.#state = 'retrying';
    if (this.#failures === 0) this.#report(error, 'the relay cannot go on for now and tries again');
    const ms = growing(FIRST_RETRY_MS, LONGEST_RETRY_MS, this.#failures++);
    return { action: 'hold', ms: ms / 2 + (Math.random() * ms) / 2 };
  }

  #recovered(): void {
    if (this.#failures > 0) this.#logger?.info({ attempts: this.#failures }, `${this.#source.name} is relayed again`);
    this.#failures = 0;
  }

  #report(thrown: unknown, message: string): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (this.#state === 'failed') this.#logger?.error({ err: error, table: this.#source.name }, message);
    else this.#logger?.warn({ err: error, table: this.#source.name }, message);
    // In a turn of its own, so that what the callback throws is its own affair and does not end the relay.
    setImmediate(() => this.#onError(error));
  }

  #sleep(ms: number, mayWake: boolean): Promise<void> {
    if (this.#stopping || (mayWake && this.#woken)) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#endSleep = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#endSleep = { mayWake, end };
    });
  }
}

/** The code of an error with which the log says that trying again is of no use; any other error may pass. */
function finalCode(error: unknown): ErrorCode | undefined {
  if (!(error instanceof Error) || !('retryable' in error) || error.retryable !== false) return undefined;
  return 'code' in error && typeof error.code === 'string' && isErrorCode(error.code) ? error.code : undefined;
}

function growing(firstMs: number, longestMs: number, attempt: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 30));
}

function assertOptions(log: AppendableLog, batchSize: number, pollIntervalMs: number): void {
  if (typeof log?.append !== 'function') throw new TypeError('log must have an append(events) method');
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) throw new RangeError('batchSize must be an integer from 1');
  if (!(pollIntervalMs >= 1 && pollIntervalMs <= 0x7fffffff)) {
    throw new RangeError('pollIntervalMs must be from 1 to 2147483647 milliseconds');
  }
}
