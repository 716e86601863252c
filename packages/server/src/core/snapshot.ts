/** The full state of a collection, and the point that it stands for. */
export interface Snapshot {
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
