import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.js';
import type { Pausable } from './followers/follower.js';

/** Pauses the reading of a connection for seconds, again and again, until `end` is called. */
export class Slowness {
  pauses = 0;
  readonly #ended = new AbortController();

  constructor(open: () => Pausable | undefined, random: Random) {
    void this.#run(open, random);
  }

  /** From then on the connection is read. */
  end(): void {
    this.#ended.abort();
  }

  async #run(open: () => Pausable | undefined, random: Random): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await this.#sleep(random.duration(300, 5_000));
      const paused = open();
      if (this.#ended.signal.aborted || paused === undefined) continue;
      paused.pause();
      this.pauses += 1;
      await this.#sleep(random.duration(200, 7_000));
      paused.resume();
    }
  }

  async #sleep(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.#ended.signal });
    } catch (error) {
      if (!this.#ended.signal.aborted) throw error;
    }
  }
}
