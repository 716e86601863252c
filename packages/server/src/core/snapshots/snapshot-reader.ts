import { type LogPoint, messageOf, PregonError } from '@pregon/protocol';
import { encodeRows } from './encode-rows.js';
import { EncodedSnapshot } from './encoded-snapshot.js';
import type { ChunkedSnapshot, Snapshot, SnapshotSource } from './snapshot.js';

/** Limits of the snapshots that a route holds for slow clients. */
export interface HoldLimits {
  /** The most bytes of all held snapshots together. Two snapshots are held whatever their size. */
  readonly bytes: number;
  /** The highest age, in milliseconds, at which a held snapshot is shared with a new subscription. */
  readonly ms: number;
  /** The most bytes of one snapshot. @default 268435456 (256 MiB) */
  readonly maxBytes?: number;
}

/** The default of {@link HoldLimits.maxBytes}. */
const DEFAULT_MAX_BYTES = 268_435_456;

export const DEFAULT_HOLD_LIMITS: HoldLimits = { bytes: 67_108_864, ms: 60_000, maxBytes: DEFAULT_MAX_BYTES };

/** How many snapshots are held whatever their size. */
const ALWAYS_HELD = 2;

/** With this many subscriptions waiting for one read, a reconnect storm is assumed: more requests will follow. */
const STORM = 16;

/** How long, in a storm, later requests get the same snapshot. They get the changes since then as events. */
const STORM_MS = 1_000;

/** The state of the hub at the time of a request, and its clock. */
export interface Standpoint {
  readonly edge: LogPoint;
  /** Changes each time the log is replaced. */
  readonly generation: number;
  readonly floor: () => Promise<LogPoint>;
  /** The time in milliseconds, of a monotonic clock. */
  readonly now: () => number;
  /** Calls back once after `ms` milliseconds. */
  readonly after: (ms: number, callback: () => void) => void;
  /** Calls back in the next event loop turn. */
  readonly nextTurn: (callback: () => void) => void;
}

interface Reading {
  readonly generation: number;
  readonly snapshot: Promise<EncodedSnapshot>;
  takers: number;
}

/**
 * Reads a snapshot once for all requests during the read, unless the log was replaced in the meantime. In a reconnect
 * storm, requests in the next second share the read too.
 *
 * The memory for slow clients is limited. Beyond the limit, a new request gets the newest held snapshot, and the
 * changes since then as events. If that snapshot is too old, the oldest one is given up: a subscription that has not
 * taken all of it must start again.
 */
export class SnapshotReader {
  readonly #read: () => Promise<Snapshot | ChunkedSnapshot>;
  readonly #limits: HoldLimits;
  #reading: Reading | undefined;
  /** The snapshot that is shared during a storm. The reader itself holds it. */
  #ofStorm: EncodedSnapshot | undefined;
  /** The held snapshots, oldest first. */
  #held: EncodedSnapshot[] = [];

  constructor(read: SnapshotSource, limits: HoldLimits = DEFAULT_HOLD_LIMITS) {
    // Turns a synchronous throw into a rejection.
    this.#read = async () => read();
    this.#limits = limits;
  }

  /**
   * Reads a snapshot, or shares one. The caller must release it.
   *
   * @throws PregonError SNAPSHOT_UNAVAILABLE
   */
  read(standpoint: Standpoint): Promise<EncodedSnapshot> {
    const joined = this.#join(standpoint);
    if (joined) return joined;
    if (this.#ofStorm) return this.#shareInStorm(this.#ofStorm, standpoint);
    return this.#hasRoom() ? this.#start(standpoint) : this.#share(standpoint);
  }

  /** Whether there is room for another snapshot as large as the newest one. */
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

  /** Shares the newest held snapshot that is not too old and whose later events the log still retains. */
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

  /** @param done ends the time in which requests can join; returns the number of takers, and that time */
  async #encode(
    { edge: before, generation, now, nextTurn }: Standpoint,
    done: () => { takers: number; readAt: number },
  ): Promise<EncodedSnapshot> {
    try {
      const read = await this.#read();
      const { sequence, source, relayed } = read;
      if (!Number.isSafeInteger(sequence) || sequence < 0) throw new TypeError(`${sequence} is not a sequence number`);
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
