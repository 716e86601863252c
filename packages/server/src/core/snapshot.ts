import { type LogPoint, PregonError } from '@pregon/protocol';

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

/** A snapshot as it is sent: encoded once, for all who asked while it was read. */
export interface EncodedSnapshot {
  /** JSON arrays; together they are all rows. At least one. */
  readonly chunks: readonly string[];
  readonly sequence: number;
  readonly source: string | undefined;
  readonly relayed: number | undefined;
  /** The edge when it began to be read: no event before it is newer than the rows, whoever asked later. */
  readonly before: LogPoint;
}

/** Where a hub stands when it asks. */
export interface Standpoint {
  readonly edge: LogPoint;
  /** Another number for each log that came into the place of another. */
  readonly generation: number;
}

const CHUNK_CHARACTERS = 65_536;

/** Reads a snapshot once for all that ask while it is being read, unless the log was replaced meanwhile. */
export class SnapshotReader {
  readonly #read: SnapshotFunction;
  #reading: { readonly generation: number; readonly snapshot: Promise<EncodedSnapshot> } | undefined;

  constructor(read: SnapshotFunction) {
    this.#read = read;
  }

  /** @throws PregonError SNAPSHOT_UNAVAILABLE */
  read({ edge, generation }: Standpoint): Promise<EncodedSnapshot> {
    if (this.#reading?.generation === generation) return this.#reading.snapshot;
    const snapshot = this.#encode(edge).finally(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    const reading = { generation, snapshot };
    this.#reading = reading;
    return snapshot;
  }

  async #encode(before: LogPoint): Promise<EncodedSnapshot> {
    try {
      const { rows, sequence, source, relayed } = await this.#read();
      if (!Number.isSafeInteger(sequence) || sequence < 0) throw new TypeError(`not a sequence: ${sequence}`);
      return { chunks: encodeRows(rows), sequence, source, relayed, before };
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new PregonError('SNAPSHOT_UNAVAILABLE', `the snapshot could not be read: ${why}`, { cause });
    }
  }
}

function encodeRows(rows: readonly unknown[]): string[] {
  const chunks: string[] = [];
  let texts: string[] = [];
  let length = 0;
  for (const row of rows) {
    const text = JSON.stringify(row) ?? 'null';
    if (length + text.length > CHUNK_CHARACTERS && texts.length > 0) {
      chunks.push(`[${texts.join(',')}]`);
      texts = [];
      length = 0;
    }
    texts.push(text);
    length += text.length;
  }
  chunks.push(`[${texts.join(',')}]`);
  return chunks;
}
