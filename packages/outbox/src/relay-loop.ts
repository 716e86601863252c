import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ErrorCode, isErrorCode, PregonError } from '@pregon/protocol';
import type { AppendableLog, Relay, RelayLogger, RelayOptions, RelayState } from './relay.js';
import { NotNow, type RelaySource } from './relay-source.js';

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

/**
 * Why several relays on one table neither reorder nor lose. Every `append` is a run of consecutive rows that begins at the lowest row
 * not yet removed, or right after a run that the same relay appended. So all rows below a run are in the log before the run is
 * appended: removed rows were appended before, by whichever relay. A log stores a run in order and leaves out what it
 * holds; hence by induction each event is stored after all those below it, once. What this rests on: the log still
 * retains what a relay appends again, so its retention must be longer than the longest pause of a process between read and append.
 */
export class OutboxRelay implements Relay {
  readonly #source: RelaySource;
  readonly #log: AppendableLog;
  readonly #batchSize: number;
  readonly #pollIntervalMs: number;
  readonly #onError: (error: Error) => void;
  readonly #logger: RelayLogger | undefined;
  readonly #now: () => number;
  readonly #running: Set<Relay>;

  #state: RelayState = 'stopped';
  #run: Promise<void> | undefined;
  #stopping = false;
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

  /**
   * @param now milliseconds since the epoch
   * @param running holds this relay while it runs: those that `add` wakes
   */
  constructor(source: RelaySource, options: RelayOptions, now: () => number, running: Set<Relay>) {
    this.#source = source;
    this.#log = options.log;
    this.#batchSize = options.batchSize ?? DEFAULT_BATCH_SIZE;
    this.#pollIntervalMs = options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS;
    this.#onError = options.onError ?? ((error) => process.emitWarning(error));
    this.#logger = options.logger;
    this.#now = now;
    this.#running = running;
    assertOptions(options.log, this.#batchSize, this.#pollIntervalMs);
  }

  get state(): RelayState {
    return this.#state;
  }

  start(): void {
    if (this.#stopping) throw new TypeError('the relay is stopping: await stop() before start()');
    if (this.#run !== undefined) return;
    this.#state = 'idle';
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

  pending(): number {
    return this.#source.count(this.#appended);
  }

  lagMs(): number {
    const oldestMs = this.#source.oldestMs(this.#appended);
    return oldestMs === undefined ? 0 : Math.max(0, this.#now() - oldestMs);
  }

  async #loop(): Promise<void> {
    try {
      while (!this.#stopping && this.#state !== 'failed') {
        const next = await this.#step();
        if (next.action === 'again') await nextTurn();
        else await this.#sleep(next.ms, next.action === 'rest');
      }
      this.#removeRelayed();
    } catch (error) {
      // What is left in the table is appended again on the next start, and the log knows it.
      this.#report(error, 'relayed rows could not be removed');
    } finally {
      if (this.#state !== 'failed') this.#state = 'stopped';
      this.#stopping = false;
      this.#run = undefined;
      this.#running.delete(this);
    }
  }

  async #step(): Promise<Next> {
    try {
      this.#woken = false;
      // Read and append are of one turn of the event loop, which keeps the pause between them short; see the class.
      const batch = this.#source.read(this.#appended, this.#batchSize);
      this.#waits = 0;
      if (batch.events.length === 0) return this.#atRest();
      if (this.#failures === 0) this.#state = 'relaying';
      await this.#log.append(batch.events);
      this.#noteAppended(batch.through);
      this.#recovered();
      if (this.#isRemovalDue()) this.#removeRelayed();
      return { action: 'again' };
    } catch (error) {
      return this.#afterError(error);
    }
  }

  #atRest(): Next {
    if (this.#source.isAhead(this.#appended)) {
      this.#logger?.warn(
        { sequence: this.#appended },
        `${this.#source.name} was restored or made anew: relaying all of it`,
      );
      this.#appended = 0;
      this.#removed = 0;
      return { action: 'again' };
    }
    this.#recovered();
    if (this.#isRemovalDue()) this.#removeRelayed();
    this.#state = 'idle';
    const restMs =
      this.#removed < this.#appended ? Math.max(1, this.#removeAtMs - performance.now()) : this.#pollIntervalMs;
    return { action: 'rest', ms: Math.min(restMs, this.#pollIntervalMs) };
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
  #removeRelayed(): void {
    if (this.#removed === this.#appended) return;
    try {
      this.#source.remove(this.#appended);
      this.#removed = this.#appended;
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
      this.#state = 'failed';
      const message = `the relay of ${this.#source.name} stopped after sequence ${this.#appended}: ${String(error)}`;
      this.#report(new PregonError(code, message, { cause: error }), 'the relay stopped; nothing is skipped');
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
