import { isSame } from './equality.js';
import { assertKey, heldKey, isKey, type Key } from './keys.js';
import { assertNoPromise, stepsOf } from './row-change.js';

export interface TableOptions<Row extends object> {
  readonly key: (keyof Row & string) | ((row: Row) => Key);
  parse(value: unknown): Row;
}

/** One row's difference; undefined stands for no row. */
export interface Difference<Row> {
  readonly key: Key;
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

/** The changes that an event or a snapshot makes to the rows. */
export interface Transition<Row> {
  readonly differences: readonly Difference<Row>[];
  /** Set by a snapshot: the rows in its order. */
  readonly rows?: Map<Key, Row>;
}

/** The rows of a collection. A change is read completely before any of it is applied, so that a failure leaves the rows as they were. */
export class Table<Row extends object> {
  readonly #options: TableOptions<Row>;
  #rows = new Map<Key, Row>();
  /** Whether `parse` has never changed a key. */
  #keepsKeys = true;

  constructor(options: TableOptions<Row>) {
    this.#options = options;
  }

  get rows(): ReadonlyMap<Key, Row> {
    return this.#rows;
  }

  get(key: Key): Row | undefined {
    return this.#rows.get(heldKey(this.#rows, key));
  }

  apply({ differences, rows }: Transition<Row>): void {
    if (rows) {
      this.#rows = rows;
      return;
    }
    for (const { key, after } of differences) {
      if (after) this.#rows.set(key, after);
      else this.#rows.delete(key);
    }
  }

  /**
   * The transition of an event.
   *
   * @param change what the application's `change` returned
   * @throws whatever `parse` throws; TypeError if it is no change, or a row has no key
   */
  afterChange(change: unknown): Transition<Row> {
    assertNoPromise('change', change);
    const draft = new Map<Key, Row | undefined>();
    for (const { isPut, value } of stepsOf(change)) {
      const [key, row] = isPut ? this.#read(value) : [this.#keyToRemove(value, draft), undefined];
      draft.set(this.#formOf(key, draft), row);
    }
    return { differences: this.#differencesTo(draft) };
  }

  /**
   * The transition of a snapshot. Rows that did not change stay the same objects, and the keys of those that are there keep their form.
   *
   * @throws whatever `parse` throws; TypeError if a row has no key, or the key of another row
   */
  afterSnapshot(snapshot: readonly unknown[]): Transition<Row> {
    const rows = new Map<Key, Row>();
    for (const value of snapshot) {
      const [found, row] = this.#read(value);
      const key = this.#formOf(found, rows);
      const twin = rows.get(key);
      if (twin && !isSame(twin, row)) throw new TypeError(`two rows have the key ${JSON.stringify(key)}`);
      const held = this.#rows.get(key);
      rows.set(key, held && isSame(held, row) ? held : row);
    }
    const draft = new Map<Key, Row | undefined>();
    for (const key of this.#rows.keys()) if (!rows.has(key)) draft.set(key, undefined);
    for (const [key, row] of rows) draft.set(key, row);
    return { differences: this.#differencesTo(draft), rows };
  }

  #differencesTo(draft: ReadonlyMap<Key, Row | undefined>): Difference<Row>[] {
    const differences: Difference<Row>[] = [];
    for (const [key, after] of draft) {
      const before = this.#rows.get(key);
      if (!isSame(before, after)) differences.push({ key, before, after });
    }
    return differences;
  }

  /** The form of a key that is there already, or else that of an earlier row of the same event or snapshot. */
  #formOf(key: Key, draft: ReadonlyMap<Key, unknown>): Key {
    return heldKey(draft, heldKey(this.#rows, key));
  }

  #read(value: unknown): [Key, Row] {
    const row = this.#options.parse(value);
    assertNoPromise('parse', row);
    const key = this.#keyOf(row);
    if (this.#keepsKeys && value !== row) {
      this.#keepsKeys = String(this.#rawKey(value)) === String(key);
    }
    return [key, row];
  }

  /**
   * A value of `remove` is often less than a whole row, which `parse` would refuse. So its key is read from the value itself, unless
   * `parse` has changed keys before.
   */
  #keyToRemove(named: unknown, draft: ReadonlyMap<Key, unknown>): Key {
    if (isKey(named)) return named;
    const raw = this.#keepsKeys ? this.#rawKey(named) : undefined;
    if (raw !== undefined) {
      const form = this.#formOf(raw, draft);
      if (this.#rows.has(form) || draft.has(form)) return raw;
    }
    try {
      return this.#read(named)[0];
    } catch (cause) {
      if (raw === undefined) throw cause;
      return raw;
    }
  }

  #rawKey(value: unknown): Key | undefined {
    try {
      return this.#keyOf(value);
    } catch {
      return undefined;
    }
  }

  /** @param value a row, or an unparsed value, for which the application's function may throw */
  #keyOf(value: unknown): Key {
    const { key } = this.#options;
    if (typeof key === 'function') return assertKey(Reflect.apply(key, undefined, [value]));
    return assertKey(typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined);
  }
}
