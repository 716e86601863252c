import type { KeptChanges, KeptState, KeptValue } from '../../../core/ports/kept.js';
import { KeptView, PendingChanges } from '../../shared/kept-view.js';
import type { KeptChange } from './kept-message.js';

/** How many changes are remembered as done: one that is published again, after a lost confirm, comes soon after the first. */
const REMEMBERED = 10_000;

/** What a stream of changes makes of a set, up to where it was read. */
export class KeptCopy {
  readonly #view = new KeptView();
  readonly #pending = new PendingChanges();
  readonly #done = new Set<string>();

  constructor() {
    // Another copy may have been shown before.
    this.#pending.replaced();
  }

  /** Whether there is anything to tell. */
  get isChanged(): boolean {
    return !this.#pending.isEmpty;
  }

  /** To be called in the order of the stream. */
  apply(change: KeptChange): void {
    // A change that was published twice must not undo what came between.
    if (change.kind === 'fence' || this.#done.has(change.id)) return;
    this.#remember(change.id);
    const value: KeptValue | undefined = change.kind === 'put' ? change.value : undefined;
    this.#view.set(change.key, value);
    this.#pending.add(change.key, value);
  }

  at(now: number): KeptState {
    return this.#view.at(now);
  }

  copyAt(now: number): KeptState {
    return this.#view.copyAt(now);
  }

  /** @see PendingChanges.take */
  takeChanges(now: number): KeptChanges | undefined {
    return this.#pending.take(now);
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
