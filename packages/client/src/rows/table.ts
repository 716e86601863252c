import { isSame } from './equality.js';
import { assertKey, heldKey, isKey, type Key } from './keys.js';
import { assertNoPromise, stepsOf } from './row-change.js';

export interface TableOptions<Row extends object> {
  readonly key: (keyof Row & string) | ((row: Row) => Key);
  parse(value: unknown): Row;
}

/** The change of one row; undefined means that the row does not exist. */
export interface Difference<Row> {
  readonly key: Key;
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

/** The changes of the rows that an event or a snapshot causes. */
export interface Transition<Row> {
  readonly differences: readonly Difference<Row>[];
  /** Set by a snapshot: all rows, in its order. */
  readonly rows?: Map<Key, Row>;
}

/**
 * The rows of a collection. A change is read completely before it is applied, so a failure leaves the rows unchanged.
 */
export class Table<Row extends object> {
  readonly #options: TableOptions<Row>;
  #rows = new Map<Key, Row>();
  /** Whether `parse` has returned every row with an unchanged key so far. */
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
   * Computes the transition of an event.
   *
   * @param change the result of the application's `change`
   * @throws TypeError if it is not a change, or if a row has no key; and whatever `parse` throws
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
   * Computes the transition of a snapshot. Unchanged rows stay the same objects, and keys that are already present keep
   * their form.
   *
   * @throws TypeError if a row has no key, or the key of another row; and whatever `parse` throws
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

  /**
   * Returns the form of a key that the table already holds, or that an earlier row of the same event or snapshot used.
   */
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
   * Reads the key of a value of `remove`. Such a value is often only a part of a row, and `parse` would refuse it. So
   * the key is read from the value itself, unless `parse` has changed a key before.
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

  /** Reads a key. @param value a row, or an unparsed value, for which the application's function may throw */
  #keyOf(value: unknown): Key {
    const { key } = this.#options;
    if (typeof key === 'function') return assertKey(Reflect.apply(key, undefined, [value]));
    return assertKey(typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined);
  }
}
