import {
  decodeSequence,
  type ErrorCode,
  isErrorCode,
  messageOf,
  PregonError,
  type PregonEvent,
} from '@pregon/protocol';
import type { AppendableLog } from './relay.js';
import type { RefusedRow } from './relay-source.js';

/** The error codes that mean that a log can never take an event, whatever its state. */
const REFUSALS: readonly ErrorCode[] = ['EVENT_INVALID', 'EVENT_TOO_LARGE', 'EVENT_ID_REUSED', 'EXCHANGE_UNUSABLE'];

/** The outcome of appending a batch. */
export type Appended =
  | { readonly outcome: 'stored' }
  /** The log refuses one of several events. Read again, {@link RelayAppender.atOnce} events, to find out which. */
  | { readonly outcome: 'split' }
  /** The batch is one event, and the log can never take it. */
  | { readonly outcome: 'refused'; readonly row: RefusedRow }
  /** The relay stopped waiting for the answer; the batch may or may not be stored. */
  | { readonly outcome: 'abandoned' };

/** Appends batches to the log, and finds the event that makes the log refuse a batch. */
export class RelayAppender {
  readonly #log: AppendableLog;
  readonly #batchSize: number;
  #atOnce: number;
  #abandoned = false;
  #abandon = () => {};

  constructor(log: AppendableLog, batchSize: number) {
    this.#log = log;
    this.#batchSize = batchSize;
    this.#atOnce = batchSize;
  }

  /** The size of the next batch: small after a refusal, then growing again. */
  get atOnce(): number {
    return this.#atOnce;
  }

  /** Allows appends again after {@link RelayAppender.abandon}. */
  begin(): void {
    this.#abandoned = false;
  }

  /** Makes the append in progress, and all later ones, end as `abandoned`. */
  abandon(): void {
    this.#abandoned = true;
    this.#abandon();
  }

  /** @throws the error of the log, unless its code means that the log can never take an event */
  async append(events: readonly PregonEvent[]): Promise<Appended> {
    if (events.length === 0) return { outcome: 'stored' };
    if (this.#abandoned) return { outcome: 'abandoned' };
    try {
      if (!(await this.#unlessAbandoned(events))) return { outcome: 'abandoned' };
    } catch (error) {
      const code = finalCode(error);
      if (code === undefined || !REFUSALS.includes(code)) throw error;
      return this.#narrow(events, code, error);
    }
    this.#atOnce = Math.min(this.#batchSize, this.#atOnce * 2);
    return { outcome: 'stored' };
  }

  /** Halves the batch until the refused event is alone. All events before it are in the log then. */
  #narrow([event, ...others]: readonly PregonEvent[], code: ErrorCode, error: unknown): Appended {
    this.#atOnce = Math.max(1, Math.floor((others.length + 1) / 2));
    if (event === undefined || others.length > 0) return { outcome: 'split' };
    const reason = messageOf(error);
    const sequence = decodeSequence(event.sequence ?? '') ?? 0;
    return { outcome: 'refused', row: { sequence, id: event.id, code, reason } };
  }

  #unlessAbandoned(events: readonly PregonEvent[]): Promise<boolean> {
    const append = this.#log.append(events, { points: false });
    return new Promise((resolve, reject) => {
      this.#abandon = () => resolve(false);
      Promise.resolve(append).then(() => resolve(true), reject);
    });
  }
}

/** Returns the code of an error with `retryable: false`; undefined for any other error, which may be temporary. */
export function finalCode(error: unknown): ErrorCode | undefined {
  if (!(error instanceof Error) || !('retryable' in error) || error.retryable !== false) return undefined;
  return 'code' in error && typeof error.code === 'string' && isErrorCode(error.code) ? error.code : undefined;
}

/** Makes the error for `onError` and the log line when an event was set aside. */
export function toSetAside(table: string, { sequence, id, code, reason }: RefusedRow): PregonError {
  const named = id === undefined ? `row ${sequence}` : `event ${JSON.stringify(id)}`;
  return new PregonError(code, `${named} of ${table} was set aside: ${reason}; see pregon outbox stuck`);
}
