import { PregonError, type PregonEvent, type ResetReason } from '@pregon/protocol';
import { isSame } from './equality.js';
import { callHandler } from './handlers.js';
import type { SubscribeOptions, Subscription } from './subscription.js';

export type Key = string | number;

export type JsonObject = Readonly<Record<string, unknown>>;

/** What an event does to a collection: sets a row, or takes one away, named by its key or by a row that has it. */
export type RowChange = { readonly put: unknown } | { readonly remove: unknown };

export interface CollectionOptions<Row extends object> {
  /** The member that names a row, a string or a number; or a function that says it. */
  readonly key: (keyof Row & string) | ((row: Row) => Key);
  /** AMQP topic patterns of the events that change it. @default ['#'] */
  readonly topics?: readonly string[];
  /** What an event does; undefined where it does nothing. What it throws is reported, and the event changes nothing. */
  change(event: PregonEvent): RowChange | undefined;
  /** See {@link SubscribeOptions.onError}. */
  onError?(error: PregonError): unknown;
}

export interface ParsedCollectionOptions<Row extends object> extends CollectionOptions<Row> {
  /** Makes a row of what the snapshot or an event brought; throws where it is none. @default any JSON object, as it is */
  parse(value: unknown): Row;
}

export interface CollectionObserver<Row> {
  added?(row: Row, key: Key): unknown;
  changed?(row: Row, before: Row, key: Key): unknown;
  removed?(row: Row, key: Key): unknown;
  /** What is held is stale; the differences follow when the new snapshot is there. */
  reset?(reason: ResetReason): unknown;
  /** The first snapshot is in. */
  ready?(): unknown;
}

/**
 * `loading`: no snapshot yet. `live`: follows the table. `stale`: holds what was last known, while the connection is lost or a new
 * snapshot is on its way. `closed`: for good, its rows stay as they are.
 */
export type CollectionState = 'loading' | 'live' | 'stale' | 'closed';

export type OpenSubscription = (options: SubscribeOptions, ended: (error: PregonError) => void) => Subscription;

/**
 * A live, read-only Map of rows, fed by the route's snapshot and the events after it. After each event it equals what the application's
 * table was at that event. Iterates in the order of the snapshot, then in that of insertion.
 */
export class Collection<Row extends object> implements ReadonlyMap<Key, Row> {
  /** Resolves with the first snapshot; rejects where the collection ends before. */
  readonly ready: Promise<void>;
  readonly #options: ParsedCollectionOptions<Row>;
  readonly #report: (error: PregonError) => void;
  readonly #observers = new Set<{ readonly observer: CollectionObserver<Row> }>();
  readonly #subscription: Subscription;
  readonly #settle: { resolve(): void; reject(error: PregonError): void };
  #rows = new Map<Key, Row>();
  #isReady = false;

  /** Made by {@link Client.collection}. */
  constructor(options: ParsedCollectionOptions<Row>, open: OpenSubscription, report: (error: PregonError) => void) {
    this.#options = options;
    this.#report = report;
    let settle = { resolve() {}, reject(_: PregonError) {} };
    this.ready = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#settle = settle;
    // Whoever awaits `ready` is told; whoever does not, has onError: without this, Node would end the process.
    this.ready.catch(() => {});
    const { topics, onError } = options;
    this.#subscription = open(
      {
        ...(topics === undefined ? {} : { topics }),
        ...(onError === undefined ? {} : { onError }),
        snapshot: true,
        onEvent: (event) => this.#apply(options.change(event)),
        onSnapshot: (rows) => this.#replace(rows),
        onReset: (reason) => this.#notify((observer) => observer.reset?.(reason)),
      },
      (error) => this.#settle.reject(error),
    );
  }

  get state(): CollectionState {
    const { state } = this.#subscription;
    if (state === 'closed') return 'closed';
    if (!this.#isReady) return 'loading';
    return state === 'live' ? 'live' : 'stale';
  }

  /** The position that the rows stand for. */
  get position(): string | undefined {
    return this.#subscription.position;
  }

  /**
   * Calls the observer with each change of a row; never for a row that stayed what it was. It is told at once of the rows that are
   * there, as added, so that what it builds always equals the collection.
   *
   * @returns what ends it
   */
  observe(observer: CollectionObserver<Row>): () => void {
    const entry = { observer };
    const present = [...this.#rows];
    const wasReady = this.#isReady;
    this.#observers.add(entry);
    for (const [key, row] of present) this.#tell(entry, () => observer.added?.(row, key));
    if (wasReady) this.#tell(entry, () => observer.ready?.());
    return () => {
      this.#observers.delete(entry);
    };
  }

  /** Ends it; no observer is called any more. Its rows stay as they are. */
  close(): void {
    this.#observers.clear();
    this.#subscription.close();
    this.#settle.reject(new PregonError('CONNECTION_LOST', 'the collection was closed before its first snapshot'));
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: Key): Row | undefined {
    return this.#rows.get(key);
  }

  has(key: Key): boolean {
    return this.#rows.has(key);
  }

  keys(): MapIterator<Key> {
    return this.#rows.keys();
  }

  values(): MapIterator<Row> {
    return this.#rows.values();
  }

  entries(): MapIterator<[Key, Row]> {
    return this.#rows.entries();
  }

  [Symbol.iterator](): MapIterator<[Key, Row]> {
    return this.#rows.entries();
  }

  forEach(visit: (row: Row, key: Key, collection: ReadonlyMap<Key, Row>) => void): void {
    for (const [key, row] of this.#rows) visit(row, key, this);
  }

  #apply(change: RowChange | undefined): void {
    if (change === undefined) return;
    if ('put' in change) this.#put(this.#options.parse(change.put));
    else this.#remove(change.remove);
  }

  #put(row: Row): void {
    const key = this.#keyOf(row);
    const before = this.#rows.get(key);
    if (before !== undefined && isSame(before, row)) return;
    this.#rows.set(key, row);
    if (before === undefined) this.#notify((observer) => observer.added?.(row, key));
    else this.#notify((observer) => observer.changed?.(row, before, key));
  }

  #remove(named: unknown): void {
    const key = isKey(named) ? named : this.#keyOf(this.#options.parse(named));
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.delete(key);
    this.#notify((observer) => observer.removed?.(row, key));
  }

  /** Takes the rows of a snapshot. Rows that did not change stay the same objects. */
  #replace(snapshot: readonly unknown[]): void {
    const before = this.#rows;
    const after = new Map<Key, Row>();
    for (const value of snapshot) {
      callHandler(() => {
        const row = this.#options.parse(value);
        const key = this.#keyOf(row);
        const held = before.get(key);
        after.set(key, held !== undefined && isSame(held, row) ? held : row);
      }, this.#failed);
    }
    this.#rows = after;
    this.#tellDifference(before, after);
    if (this.#isReady) return;
    this.#isReady = true;
    this.#settle.resolve();
    this.#notify((observer) => observer.ready?.());
  }

  #tellDifference(before: ReadonlyMap<Key, Row>, after: ReadonlyMap<Key, Row>): void {
    // One that is added by a handler on the way was told of the rows as they are now.
    const observers = [...this.#observers];
    for (const [key, row] of before) {
      if (!after.has(key)) this.#notify((observer) => observer.removed?.(row, key), observers);
    }
    for (const [key, row] of after) {
      const held = before.get(key);
      if (held === undefined) this.#notify((observer) => observer.added?.(row, key), observers);
      else if (held !== row) this.#notify((observer) => observer.changed?.(row, held, key), observers);
    }
  }

  #keyOf(row: Row): Key {
    const { key } = this.#options;
    const value: unknown = typeof key === 'function' ? key(row) : row[key];
    if (isKey(value)) return value;
    throw new TypeError(`the key of a row must be a string or a number: ${JSON.stringify(value)}`);
  }

  #notify(call: (observer: CollectionObserver<Row>) => unknown, observers = [...this.#observers]): void {
    for (const entry of observers) this.#tell(entry, () => call(entry.observer));
  }

  #tell(entry: { readonly observer: CollectionObserver<Row> }, call: () => unknown): void {
    if (this.#observers.has(entry)) callHandler(call, this.#failed);
  }

  readonly #failed = (cause: unknown): void => {
    this.#report(new PregonError('HANDLER_FAILED', 'a row or an observer of a collection failed', { cause }));
  };
}

/** The rows of a collection that says nothing else: any JSON object. @throws TypeError */
export function parseJsonObject(value: unknown): JsonObject {
  if (isJsonObject(value)) return value;
  throw new TypeError(`a row must be an object: ${String(JSON.stringify(value)).slice(0, 80)}`);
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isKey(value: unknown): value is Key {
  return typeof value === 'string' || typeof value === 'number';
}
