import type { KeptChanges, KeptState, KeptValue } from '../../core/ports/kept.js';
import { KeptView, PendingChanges } from '../shared/kept-view.js';
import { KEPT_PAGE, type SqliteKeptRows } from './database/kept.js';

/**
 * A copy of the kept values of a file in this process. It is loaded page by page in the order of the keys, and then
 * updated change by change.
 */
export class SqliteKeptCopy {
  #rows: SqliteKeptRows | undefined;
  /**
   * All changes up to this revision are in `#view`. A page that was read later may include newer changes, which are
   * then applied once more.
   */
  #revision = 0;
  #view = new KeptView();
  /** The view that is being loaded. The former view is used until all pages are read. */
  #loading: { readonly view: KeptView; after: string | undefined } | undefined;
  #pending = new PendingChanges();

  /** Whether the whole set of the current file was loaded, so that a few steps bring the copy up to date. */
  get isLoaded(): boolean {
    return this.#rows !== undefined && !this.#loading;
  }

  /** Whether followers must be called. */
  get isChanged(): boolean {
    return !this.#pending.isEmpty;
  }

  /**
   * Reads one page.
   *
   * @param rows the rows of the file that is at the path now
   * @returns whether the copy equals the file at this step; if not, another step is needed
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
      // The file no longer has all changes since the last step.
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
    // Read before the first page, so that later changes are applied after loading.
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
