import type { KeptState, KeptValue } from '../../../core/ports/kept.js';
import { stateAt } from '../../shared/kept-values.js';
import type { KeptChange } from './kept-message.js';

/** How many changes are remembered as done: one that is published again, after a lost confirm, comes soon after the first. */
const REMEMBERED = 10_000;

/** What a stream of changes makes of a set, up to where it was read. */
export class KeptCopy {
  readonly #values = new Map<string, KeptValue>();
  readonly #done = new Set<string>();

  /** To be called in the order of the stream. @returns whether the set has changed */
  apply(change: KeptChange): boolean {
    // A change that was published twice must not undo what came between.
    if (change.kind === 'fence' || this.#done.has(change.id)) return false;
    this.#remember(change.id);
    if (change.kind === 'delete') return this.#values.delete(change.key);
    this.#values.set(change.key, change.value);
    return true;
  }

  at(now: number): KeptState {
    return stateAt(now, this.#values);
  }

  #remember(id: string): void {
    this.#done.add(id);
    if (this.#done.size <= REMEMBERED) return;
    for (const oldest of this.#done) {
      this.#done.delete(oldest);
      return;
    }
  }
}
