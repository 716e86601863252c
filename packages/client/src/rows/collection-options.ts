import type { PregonError, PregonEvent, ResetReason } from '@pregon/protocol';
import { describe, type Key } from './keys.js';
import type { RowChange } from './row-change.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export interface CollectionOptions<Row extends object> {
  /**
   * The name of the member that holds the key of a row, a string or a number; or a function that returns the key. `1`
   * and `'1'` are the same key; a row keeps the form in which its key first arrived.
   */
  readonly key: (keyof Row & string) | ((row: Row) => Key);
  /** AMQP topic patterns of the events that change the collection. @default ['#'] */
  readonly topics?: readonly string[];
  /**
   * Returns what an event changes, in one or several rows; all of it is applied together. It returns undefined if the
   * event changes nothing. If it throws or returns anything else, the collection becomes `stale` and reads a new
   * snapshot. It must not be async.
   *
   * @example (event) => (event.type === 'UserWasDeleted' ? { remove: event.data } : { put: event.data })
   */
  change(event: PregonEvent): RowChange | readonly RowChange[] | undefined;
  /** See {@link SubscribeOptions.onError}. */
  onError?(error: PregonError): unknown;
}

export interface ParsedCollectionOptions<Row extends object> extends CollectionOptions<Row> {
  /**
   * Makes a row from a value of the snapshot or of `put`; it must not be async. If it throws, the collection becomes
   * `stale` and reads a new snapshot. A value of `remove` is parsed only if its key cannot be read otherwise.
   * @default accepts any JSON object, unchanged
   */
  parse(value: unknown): Row;
}

export interface CollectionObserver<Row> {
  added?(row: Row, key: Key): unknown;
  changed?(row: Row, before: Row, key: Key): unknown;
  removed?(row: Row, key: Key): unknown;
  /** Called once after all changes of an event or a snapshot: the moment to draw. */
  updated?(): unknown;
  /** The rows are stale; the changes follow with the new snapshot. */
  reset?(reason: ResetReason): unknown;
  /** The first snapshot was applied. */
  ready?(): unknown;
  /**
   * Called with the state when the observer is added and on each change; {@link Collection.lastError} explains why it
   * is not `live`.
   */
  state?(state: CollectionState): unknown;
}

/**
 * The state of a collection.
 *
 * - `loading`: there is no snapshot yet.
 * - `live`: the rows equal the table.
 * - `stale`: the rows equal the table as it was at {@link Collection.position}. The connection is lost, or a new
 *   snapshot is on its way after a reset or after a change that could not be applied.
 * - `closed`: the collection has ended for good; the rows stay unchanged.
 */
export type CollectionState = 'loading' | 'live' | 'stale' | 'closed';

/** The default of `parse`: accepts any JSON object. @throws TypeError if the value is not a JSON object */
export function parseJsonObject(value: unknown): JsonObject {
  if (isJsonObject(value)) return value;
  throw new TypeError(`a row must be an object, not ${describe(value)}`);
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
