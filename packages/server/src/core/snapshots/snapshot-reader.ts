import { type LogPoint, messageOf, PregonError } from '@pregon/protocol';
import { encodeRows } from './encode-rows.js';
import { EncodedSnapshot } from './encoded-snapshot.js';
import type { ChunkedSnapshot, Snapshot, SnapshotSource } from './snapshot.js';

/** How much of a route's snapshots is held for those who read them slowly. */
export interface HoldLimits {
  /** Of all of them together; two are held however large they are. */
  readonly bytes: number;
  /** How old one may be that is given to somebody new. */
  readonly ms: number;
  /** How large one may be. @default 256 MiB */
  readonly maxBytes?: number;
}

/** The most bytes of one snapshot, unless {@link HoldLimits.maxBytes} says otherwise. */
const DEFAULT_MAX_BYTES = 268_435_456;

export const DEFAULT_HOLD_LIMITS: HoldLimits = { bytes: 67_108_864, ms: 60_000, maxBytes: DEFAULT_MAX_BYTES };

/** How many are held whatever their size. */
const ALWAYS_HELD = 2;

/** From how many who waited for one read on it is taken for a storm, in which more are about to ask … */
const STORM = 16;

/** … and are given what was read, for so long: what has happened since, they get as events. */
const STORM_MS = 1_000;

/** Where a hub stands when it asks. */
export interface Standpoint {
  readonly edge: LogPoint;
  /** Another number for each log that came into the place of another. */
  readonly generation: number;
  readonly floor: () => Promise<LogPoint>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Calls back once after so many milliseconds. */
  readonly after: (ms: number, callback: () => void) => void;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (callback: () => void) => void;
}

interface Reading {
  readonly generation: number;
  readonly snapshot: Promise<EncodedSnapshot>;
  takers: number;
}

/**
 * Reads a snapshot once for all that ask while it is being read, unless the log was replaced meanwhile; in a storm, for those who ask within
 * the next second too. However many take it slowly, what
 * is held is limited: beyond, whoever asks is given the newest that there is, and gets what has happened since as events. Where that is
 * too old, the oldest is given up, and who had not taken all of it begins anew.
 */
export class SnapshotReader {
  readonly #read: () => Promise<Snapshot | ChunkedSnapshot>;
  readonly #limits: HoldLimits;
  #reading: Reading | undefined;
  /** What those are given who ask during a storm; held for them. */
  #ofStorm: EncodedSnapshot | undefined;
  /** The oldest first. */
  #held: EncodedSnapshot[] = [];

  constructor(read: SnapshotSource, limits: HoldLimits = DEFAULT_HOLD_LIMITS) {
    // What throws at once is a rejection too.
    this.#read = async () => read();
    this.#limits = limits;
  }

  /**
   * Whoever gets it has to release it.
   *
   * @throws PregonError SNAPSHOT_UNAVAILABLE
   */
  read(standpoint: Standpoint): Promise<EncodedSnapshot> {
    const joined = this.#join(standpoint);
    if (joined) return joined;
    if (this.#ofStorm) return this.#shareInStorm(this.#ofStorm, standpoint);
    return this.#hasRoom() ? this.#start(standpoint) : this.#share(standpoint);
  }

  /** For one more, as large as the newest. */
  #hasRoom(): boolean {
    this.#held = this.#held.filter(({ isHeld }) => isHeld);
    if (this.#held.length < ALWAYS_HELD) return true;
    const sum = this.#held.reduce((total, { bytes }) => total + bytes, 0);
    return sum + (this.#held.at(-1)?.bytes ?? 0) <= this.#limits.bytes;
  }

  #join({ generation }: Standpoint): Promise<EncodedSnapshot> | undefined {
    const reading = this.#reading;
    if (reading?.generation !== generation) return undefined;
    reading.takers += 1;
    return reading.snapshot;
  }

  async #shareInStorm(snapshot: EncodedSnapshot, standpoint: Standpoint): Promise<EncodedSnapshot> {
    const { offset } = await standpoint.floor();
    const { isHeld, generation, before } = snapshot;
    if (isHeld && generation === standpoint.generation && before.offset >= offset) return snapshot.hold();
    this.#endStorm(snapshot);
    return this.read(standpoint);
  }

  #endStorm(snapshot: EncodedSnapshot): void {
    if (this.#ofStorm !== snapshot) return;
    this.#ofStorm = undefined;
    snapshot.release();
  }

  /** The newest that is held. One that is old, or whose events the log has dropped, is of no use to anybody new. */
  async #share(standpoint: Standpoint): Promise<EncodedSnapshot> {
    const { offset } = await standpoint.floor();
    const since = standpoint.now() - this.#limits.ms;
    const newest = this.#held.findLast(
      ({ isHeld, generation, before, readAt }) =>
        isHeld && generation === standpoint.generation && before.offset >= offset && readAt >= since,
    );
    if (newest) return newest.hold();
    while (!this.#hasRoom()) this.#held[0]?.giveUp();
    return this.read(standpoint);
  }

  #start(standpoint: Standpoint): Promise<EncodedSnapshot> {
    const { generation, now, after } = standpoint;
    const reading: Reading = {
      generation,
      takers: 1,
      snapshot: this.#encode(standpoint, () => {
        if (this.#reading === reading) this.#reading = undefined;
        return { takers: reading.takers, readAt: now() };
      }).then((snapshot) => {
        if (reading.takers >= STORM && !this.#ofStorm) {
          this.#ofStorm = snapshot.hold();
          after(STORM_MS, () => this.#endStorm(snapshot));
        }
        return snapshot;
      }),
    };
    this.#reading = reading;
    return reading.snapshot;
  }

  /** @param done from when on nobody joins any more; answers how many there are, and when that is */
  async #encode(
    { edge: before, generation, now, nextTurn }: Standpoint,
    done: () => { takers: number; readAt: number },
  ): Promise<EncodedSnapshot> {
    try {
      const read = await this.#read();
      const { sequence, source, relayed } = read;
      if (!Number.isSafeInteger(sequence) || sequence < 0) throw new TypeError(`not a sequence: ${sequence}`);
      const { maxBytes = DEFAULT_MAX_BYTES } = this.#limits;
      const chunks = 'chunks' in read ? read.chunks : await encodeRows(read.rows, { maxBytes, now, nextTurn });
      const snapshot = new EncodedSnapshot({ chunks, sequence, source, relayed, before, generation, ...done() });
      this.#held.push(snapshot);
      return snapshot;
    } catch (cause) {
      done();
      const why = messageOf(cause);
      throw new PregonError('SNAPSHOT_UNAVAILABLE', `the snapshot could not be read: ${why}`, { cause });
    }
  }
}
