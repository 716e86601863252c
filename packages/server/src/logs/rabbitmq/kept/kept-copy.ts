import type { KeptChanges, KeptState, KeptValue } from '../../../core/ports/kept.js';
import { KeptView, PendingChanges } from '../../shared/kept-view.js';
import type { KeptChange } from './kept-message.js';

/**
 * The number of recent changes whose ids are remembered. After a lost confirm a change is published again, soon after
 * the first time.
 */
const REMEMBERED = 10_000;

/** The set that results from the changes in the stream, up to the last change that was read. */
export class KeptCopy {
  readonly #view = new KeptView();
  readonly #pending = new PendingChanges();
  readonly #done = new Set<string>();

  constructor() {
    // Followers may know the state of an earlier copy, so the first call must hand them the whole state.
    this.#pending.replaced();
  }

  /** Whether followers must be called. */
  get isChanged(): boolean {
    return !this.#pending.isEmpty;
  }

  /** Applies a change. Call it in the order of the stream. */
  apply(change: KeptChange): void {
    // A change that was published twice must not undo the changes in between.
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
