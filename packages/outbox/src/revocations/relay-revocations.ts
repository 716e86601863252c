import { messageOf, recordRevocation } from '@pregon/protocol';
import { growing } from '../backoff.js';
import type { AppendableLog } from '../relay.js';
import { NotNow } from '../relay-source.js';
import { decodeRevocation, type RevocationRow } from './revocation-row.js';
import type { RevocationSource, WaitingRevocation } from './revocation-source.js';

/** How often the table is read at most, in milliseconds: a backlog of events must not read it once for each batch. */
const LOOK_MS = 50;
const NOT_NOW_MS = 10;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5_000;
const AT_ONCE = 100;

export interface RelayRevocationsOptions {
  readonly source: RevocationSource | undefined;
  readonly log: AppendableLog;
  readonly report: (error: unknown, message: string) => void;
}

/**
 * Records the revocations of an outbox in the log, before the events that wait. A failure of this alone, for example
 * because the log keeps too many values, does not hold up the events: it is reported once and retried with backoff.
 */
export class RelayRevocations {
  readonly #options: RelayRevocationsOptions;
  #lookAtMs = 0;
  /** Whether there may be a new row since the table was last read. */
  #mayHaveRows = true;
  #failures = 0;
  #abandoned = false;
  #abandon = () => {};

  constructor(options: RelayRevocationsOptions) {
    this.#options = options;
  }

  get isDue(): boolean {
    return this.#options.source !== undefined && performance.now() >= this.#lookAtMs;
  }

  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** The longest delay before the next call of {@link RelayRevocations.relay}, in milliseconds. */
  get restMs(): number {
    if (!this.#options.source || !this.#mayHaveRows) return Number.POSITIVE_INFINITY;
    return Math.max(1, this.#lookAtMs - performance.now());
  }

  wake(): void {
    this.#mayHaveRows = true;
  }

  /** Allows work again after {@link RelayRevocations.abandon}, and reads the table at the next call. */
  begin(): void {
    this.#abandoned = false;
    this.#lookAtMs = 0;
  }

  /** Stops waiting for the log. The revocation in progress is recorded again at the next start. */
  abandon(): void {
    this.#abandoned = true;
    this.#abandon();
  }

  /** Records the waiting revocations, some at a time. Never rejects. */
  async relay(): Promise<void> {
    const { source, report } = this.#options;
    if (!source || this.#abandoned) return;
    this.#mayHaveRows = false;
    this.#lookAtMs = performance.now() + LOOK_MS;
    try {
      const rows = await source.read(AT_ONCE);
      if (rows.length > 0) await this.#recordAll(source, rows);
      if (rows.length === AT_ONCE) this.#lookAtMs = 0;
      this.#failures = 0;
    } catch (error) {
      this.#mayHaveRows = true;
      if (error instanceof NotNow) {
        this.#lookAtMs = performance.now() + NOT_NOW_MS;
        return;
      }
      if (this.#failures === 0) report(error, 'revocations cannot be relayed for now; the relay retries');
      this.#lookAtMs = performance.now() + growing(FIRST_RETRY_MS, LONGEST_RETRY_MS, this.#failures++);
    }
  }

  async #recordAll(source: RevocationSource, rows: readonly WaitingRevocation[]): Promise<void> {
    const done: number[] = [];
    try {
      for (const row of rows) {
        if (!(await this.#record(row))) break;
        done.push(row.number);
      }
    } finally {
      if (done.length > 0) await source.remove(done);
    }
  }

  /** @returns false if the relay stopped waiting for the log */
  async #record({ number, text }: WaitingRevocation): Promise<boolean> {
    const { log, report } = this.#options;
    const row = this.#decode(number, text);
    // Another program wrote it. Kept in the table, such rows could fill each read.
    if (row instanceof Error) {
      report(row, 'a row of the outbox is no revocation, and is removed');
      return true;
    }
    const { kept } = log;
    if (!kept)
      throw new Error('the log of the relay cannot keep revocations: it needs the member kept of a Log of pregon');
    const target = { kept, append: log.append.bind(log) };
    return this.#unlessAbandoned(recordRevocation(target, row.revocation, { id: row.id, nowMs: Date.now() }));
  }

  #decode(number: number, text: unknown): RevocationRow | Error {
    try {
      return decodeRevocation(text);
    } catch (cause) {
      return new Error(`row ${number} is no revocation: ${messageOf(cause)}`, { cause });
    }
  }

  #unlessAbandoned(recording: Promise<void>): Promise<boolean> {
    if (this.#abandoned) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      this.#abandon = () => resolve(false);
      recording.then(() => resolve(true), reject);
    });
  }
}
