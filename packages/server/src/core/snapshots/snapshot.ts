/** The full state of a collection, and the point of the log that it stands for. */
export interface Snapshot {
  /**
   * Do not change the rows after returning them: large snapshots are encoded over several event loop turns. A single
   * row is encoded in one turn, whatever its size.
   */
  readonly rows: readonly unknown[];
  /** The highest outbox sequence whose change the rows include, read in the same transaction; 0 if none yet. */
  readonly sequence: number;
  /** The `source` of the events that the sequence counts. @default any source */
  readonly source?: string;
  /**
   * The highest sequence that the relay had appended to the log when the rows were read. It tells a log that has
   * dropped the event of `sequence` from a log that does not contain it yet.
   */
  readonly relayed?: number;
}

export type SnapshotFunction = () => Snapshot | Promise<Snapshot>;

/** A snapshot with encoded rows. */
export interface ChunkedSnapshot extends Omit<Snapshot, 'rows'> {
  /** At least one JSON array of about 64 KiB; together they contain all rows. */
  readonly chunks: readonly string[];
}

/** Reads the snapshots of a route. */
export type SnapshotSource = () => Snapshot | ChunkedSnapshot | Promise<Snapshot | ChunkedSnapshot>;
