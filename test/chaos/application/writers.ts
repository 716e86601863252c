import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../random.js';
import type { Store } from './store.js';
import { ChangeOfMind, transact } from './workload.js';

const WRITERS = 6;
/** The pause after a failure of the database, which may be starting. */
const AFTER_FAILURE_MS = 100;

/** Writers that begin transactions at a steady rate, whatever their outcome, until `rest` is called. */
export class Writers {
  readonly counts = { committed: 0, rolledBack: 0, failed: 0 };
  readonly #store: Store;
  readonly #intervalMs: number;
  readonly #report: (error: unknown) => void;
  readonly #done: Promise<unknown>;
  #writing = true;

  /** @param rate transactions per second, of all writers together */
  constructor(store: Store, rate: number, seed: number, report: (error: unknown) => void) {
    this.#store = store;
    this.#intervalMs = (1_000 * WRITERS) / rate;
    this.#report = report;
    this.#done = Promise.all(Array.from({ length: WRITERS }, (_, i) => this.#write(new Random(seed, `writer ${i}`))));
  }

  /** Resolves when no transaction is open any more. */
  async rest(): Promise<void> {
    this.#writing = false;
    await this.#done;
  }

  async #write(random: Random): Promise<void> {
    while (this.#writing) {
      await delay(random.fraction() * 2 * this.#intervalMs);
      try {
        await this.#store.transaction((tx) => transact(tx, random, this.#store.longestTransactionMs));
        this.counts.committed += 1;
      } catch (error) {
        if (error instanceof ChangeOfMind) this.counts.rolledBack += 1;
        else await this.#failed(error);
      }
    }
  }

  async #failed(error: unknown): Promise<void> {
    this.counts.failed += 1;
    this.#report(error);
    await delay(AFTER_FAILURE_MS);
  }
}
