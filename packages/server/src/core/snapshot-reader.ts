import { type LogPoint, PregonError } from '@pregon/protocol';
import { EncodedSnapshot } from './encoded-snapshot.js';
import type { Snapshot, SnapshotFunction } from './snapshot.js';

/** How many snapshots of a route are held at once, for all who read them slowly. */
const MOST_HELD = 2;

const CHUNK_CHARACTERS = 65_536;

/** Where a hub stands when it asks. */
export interface Standpoint {
  readonly edge: LogPoint;
  /** Another number for each log that came into the place of another. */
  readonly generation: number;
  readonly floor: () => Promise<LogPoint>;
}

interface Reading {
  readonly generation: number;
  readonly snapshot: Promise<EncodedSnapshot>;
  takers: number;
}

/**
 * Reads a snapshot once for all that ask while it is being read, unless the log was replaced meanwhile. However many take it slowly, no
 * more than {@link MOST_HELD} are held: the next who asks is given the newest of these, and gets what has happened since as events.
 */
export class SnapshotReader {
  readonly #read: () => Promise<Snapshot>;
  #reading: Reading | undefined;
  /** The oldest first. */
  #held: EncodedSnapshot[] = [];

  constructor(read: SnapshotFunction) {
    // What throws at once is a rejection too.
    this.#read = async () => read();
  }

  /**
   * Whoever gets it has to release it.
   *
   * @throws PregonError SNAPSHOT_UNAVAILABLE
   */
  read(standpoint: Standpoint): Promise<EncodedSnapshot> {
    this.#held = this.#held.filter(({ isHeld }) => isHeld);
    const joined = this.#join(standpoint);
    if (joined) return joined;
    return this.#held.length < MOST_HELD ? this.#start(standpoint) : this.#share(standpoint);
  }

  #join({ generation }: Standpoint): Promise<EncodedSnapshot> | undefined {
    const reading = this.#reading;
    if (reading?.generation !== generation) return undefined;
    reading.takers += 1;
    return reading.snapshot;
  }

  /** The newest that is held; one whose events the log has dropped is of no use to anybody, and makes room. */
  async #share(standpoint: Standpoint): Promise<EncodedSnapshot> {
    const { offset } = await standpoint.floor();
    const newest = this.#held.findLast(
      ({ isHeld, generation, before }) => isHeld && generation === standpoint.generation && before.offset >= offset,
    );
    if (newest) return newest.hold();
    for (const held of this.#held.slice(0, this.#held.length - MOST_HELD + 1)) held.giveUp();
    return this.read(standpoint);
  }

  #start({ edge, generation }: Standpoint): Promise<EncodedSnapshot> {
    const reading: Reading = {
      generation,
      takers: 1,
      snapshot: this.#encode(edge, generation, () => {
        if (this.#reading === reading) this.#reading = undefined;
        return reading.takers;
      }),
    };
    this.#reading = reading;
    return reading.snapshot;
  }

  /** @param done from when on nobody joins any more; answers how many there are */
  async #encode(before: LogPoint, generation: number, done: () => number): Promise<EncodedSnapshot> {
    try {
      const { rows, sequence, source, relayed } = await this.#read();
      if (!Number.isSafeInteger(sequence) || sequence < 0) throw new TypeError(`not a sequence: ${sequence}`);
      const chunks = encodeRows(rows);
      const snapshot = new EncodedSnapshot({ chunks, sequence, source, relayed, before, generation, takers: done() });
      this.#held.push(snapshot);
      return snapshot;
    } catch (cause) {
      done();
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
