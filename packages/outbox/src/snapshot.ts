/** Rows, and the point in the log that they stand for: what a client that asks for a snapshot begins with. */
export interface OutboxSnapshot<Row> {
  readonly rows: readonly Row[];
  /** The highest sequence whose change the rows hold; they hold those of all below it and of none above. 0 before the first event. */
  readonly sequence: number;
  readonly source: string;
  /** All up to here was in the log when the rows were read; from here to `sequence` it may yet be on its way. */
  readonly relayed: number;
}

/** @throws TypeError where it is none: a promise would be filled from another state of the database than the sequence */
export function assertRows(rows: unknown): asserts rows is readonly unknown[] {
  if (!Array.isArray(rows)) throw new TypeError('the function that reads a snapshot must return an array');
}
