/** Rows and the point in the log that they correspond to: the start of a client that requests a snapshot. */
export interface OutboxSnapshot<Row> {
  readonly rows: readonly Row[];
  /**
   * The highest sequence whose change is in the rows. They contain the changes of all lower sequences and of no higher
   * one. 0 before the first event.
   */
  readonly sequence: number;
  readonly source: string;
  /**
   * All events up to this sequence were in the log when the rows were read; those from here to `sequence` may still be
   * on their way.
   */
  readonly relayed: number;
}

/**
 * @throws TypeError if it is not an array: a promise would resolve with a later state of the database than the sequence
 */
export function assertRows(rows: unknown): asserts rows is readonly unknown[] {
  if (!Array.isArray(rows)) throw new TypeError('the function that reads a snapshot must return an array');
}
