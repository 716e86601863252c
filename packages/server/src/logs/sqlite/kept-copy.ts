import type { KeptChanges, KeptState, KeptValue } from '../../core/ports/kept.js';
import { KeptView, PendingChanges } from '../shared/kept-view.js';
import { KEPT_PAGE, type SqliteKeptRows } from './database/kept.js';

/** What a file keeps, as one process has read it so far: first page by page in the order of the keys, then change by change. */
export class SqliteKeptCopy {
  #rows: SqliteKeptRows | undefined;
  /** The change after which `#view` is what the file was; a part that is read later may be newer, and its change is read again. */
  #revision = 0;
  #view = new KeptView();
  /** While the first pages are read. The view before is shown until they are all there. */
  #loading: { readonly view: KeptView; after: string | undefined } | undefined;
  #pending = new PendingChanges();

  /** Whether it has been whole since the present file was opened, so that few steps bring it up to date. */
  get isLoaded(): boolean {
    return this.#rows !== undefined && !this.#loading;
  }

  /** Whether there is anything to tell. */
  get isChanged(): boolean {
    return !this.#pending.isEmpty;
  }

  /**
   * Reads one page.
   *
   * @param rows of the file that stands at the path now
   * @returns whether the copy is what the file was in this step; otherwise another step is needed
   */
  step(rows: SqliteKeptRows): boolean {
    if (this.#rows !== rows) this.#begin(rows);
    if (this.#loading) {
      this.#load(this.#loading, rows);
      return false;
    }
    const changes = rows.changes(this.#revision);
    const [first] = changes;
    if (first && first.revision !== this.#revision + 1) {
      // So much was changed that the file no longer has each change.
      this.#begin(rows);
      return false;
    }
    for (const { revision, key, value } of changes) {
      this.#view.set(key, value);
      this.#pending.add(key, value);
      this.#revision = revision;
    }
    return changes.length < KEPT_PAGE;
  }

  at(now: number): KeptState {
    return this.#view.at(now);
  }

  copyAt(now: number): Map<string, KeptValue> {
    return this.#view.copyAt(now);
  }

  /** @see PendingChanges.take */
  takeChanges(now: number): KeptChanges | undefined {
    return this.#pending.take(now);
  }

  #begin(rows: SqliteKeptRows): void {
    // Before the first page: what is changed from now on is read as a change.
    this.#revision = rows.revision();
    this.#rows = rows;
    this.#loading = { view: new KeptView(), after: undefined };
  }

  #load(loading: { readonly view: KeptView; after: string | undefined }, rows: SqliteKeptRows): void {
    const page = rows.page(loading.after);
    for (const { key, value } of page) loading.view.set(key, value);
    loading.after = page.at(-1)?.key ?? loading.after;
    if (page.length === KEPT_PAGE) return;
    this.#view = loading.view;
    this.#loading = undefined;
    this.#pending.replaced();
  }
}
