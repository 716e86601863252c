/** The full state of a collection, and the point that it stands for. */
export interface Snapshot {
  /**
   * Large ones are encoded over several turns of the event loop: the rows themselves must not be changed afterwards. One row is encoded at
   * once, however large it is.
   */
  readonly rows: readonly unknown[];
  /** The highest outbox sequence whose change the rows hold, read in the same transaction; 0 where there was none yet. */
  readonly sequence: number;
  /** Whose sequence it is: the `source` of the events. @default that of any */
  readonly source?: string;
  /**
   * The highest sequence that the relay had appended to the log when the rows were read. With it, a log that no longer holds the event
   * of `sequence` is told from one that does not hold it yet.
   */
  readonly relayed?: number;
}

export type SnapshotFunction = () => Snapshot | Promise<Snapshot>;

/** A snapshot whose rows are encoded already. */
export interface ChunkedSnapshot extends Omit<Snapshot, 'rows'> {
  /** JSON arrays of about 64 KiB; together they are all rows. At least one. */
  readonly chunks: readonly string[];
}

/** Where the snapshots of a route come from. */
export type SnapshotSource = () => Snapshot | ChunkedSnapshot | Promise<Snapshot | ChunkedSnapshot>;
