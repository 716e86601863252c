import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '@pregon/protocol';
import { troubleOf } from './trouble.js';

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

export interface AvailabilityOptions {
  /** The name of the database for messages, without a password. */
  readonly name: string;
  readonly say: (line: string) => void;
  readonly logError: (error: unknown) => void;
}

/** Waits for PostgreSQL, and reports the reason once and the end of the wait. */
export class Availability {
  readonly #name: string;
  readonly #say: (line: string) => void;
  readonly #logError: (error: unknown) => void;
  readonly #closing = new AbortController();
  #outage: Promise<void> | undefined;

  constructor({ name, say, logError }: AvailabilityOptions) {
    this.#name = name;
    this.#say = say;
    this.#logError = logError;
  }

  /**
   * Retries `work` with backoff of up to 5 s, until PostgreSQL lets it succeed.
   *
   * @param meanwhile a sentence that says what holds until then
   * @param first an error that is already known
   * @throws the error of `work` if waiting does not help
   */
  async until<T>(work: () => Promise<T>, meanwhile: string, first?: unknown): Promise<T> {
    const begun = performance.now();
    let told: string | undefined;
    const tell = (error: unknown) => {
      const reason = messageOf(error);
      if (reason !== told) this.#say(`${this.#name} does not answer: ${reason}. ${meanwhile}`);
      told = reason;
    };
    if (first !== undefined) tell(first);
    for (let failures = 0; ; failures++) {
      try {
        const result = await work();
        const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
        if (told !== undefined) this.#say(`${this.#name} answers, after ${seconds} s.`);
        return result;
      } catch (error) {
        if (troubleOf(error) === undefined) throw error;
        tell(error);
        await this.#rest(failures);
      }
    }
  }

  /**
   * Must be called for each request that cannot reach PostgreSQL. The first call of an outage probes for its end with
   * `ask`.
   */
  lost(error: unknown, ask: () => Promise<unknown>): void {
    if (this.#closing.signal.aborted) return;
    const meanwhile = 'Until it does, requests get 503. Committed events are kept, and relayed then.';
    this.#outage ??= this.until(ask, meanwhile, error)
      .then(() => {})
      .catch((reason: unknown) => {
        if (!this.#closing.signal.aborted) this.#logError(reason);
      })
      .finally(() => {
        this.#outage = undefined;
      });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#outage;
  }

  #rest(failures: number): Promise<void> {
    const ms = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10));
    return sleep(ms / 2 + (Math.random() * ms) / 2, undefined, { signal: this.#closing.signal });
  }
}
