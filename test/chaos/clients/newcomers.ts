import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.js';
import type { Follower } from './followers/follower.js';
import { NEWCOMER } from './settings.js';

const AT_ONCE = 4;
/** The counters that outlive a follower. */
const TOTALS = ['reconnects', 'resumes', 'resets', 'expired', 'forbidden', 'revoked'] as const;
const STAY_MS = [3_000, 20_000] as const;

/** Followers that join, stay for seconds and leave, until the run settles; then the last of them stay. */
export class Newcomers {
  readonly gone = { followers: 0, reconnects: 0, resumes: 0, resets: 0, expired: 0, forbidden: 0, revoked: 0 };
  readonly #present = new Map<number, Follower>();
  readonly #settled = new AbortController();
  readonly #done: Promise<unknown>;
  #count = 0;

  constructor(create: (name: string) => Follower, random: Random) {
    this.#done = Promise.all(Array.from({ length: AT_ONCE }, (_, place) => this.#come(place, create, random)));
  }

  get followers(): Follower[] {
    return [...this.#present.values()];
  }

  /** From then on no follower joins or leaves. */
  async settle(): Promise<void> {
    this.#settled.abort();
    await this.#done;
  }

  async #come(place: number, create: (name: string) => Follower, random: Random): Promise<void> {
    while (!this.#settled.signal.aborted) {
      const follower = create(`${NEWCOMER}${++this.#count}`);
      this.#present.set(place, follower);
      await this.#stay(random.duration(...STAY_MS));
      if (this.#settled.signal.aborted) return;
      follower.close();
      await follower.written(true);
      this.#present.delete(place);
      this.#remember(follower);
    }
  }

  #remember(follower: Follower): void {
    const report = follower.report();
    this.gone.followers += 1;
    for (const total of TOTALS) this.gone[total] += report[total];
  }

  async #stay(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.#settled.signal });
    } catch (error) {
      if (!this.#settled.signal.aborted) throw error;
    }
  }
}
