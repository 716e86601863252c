import { type LogPoint, messageOf, PregonError } from '@pregon/protocol';
import type { Timers } from '../time/clock.js';
import { encodeRows } from './encode-rows.js';
import { EncodedSnapshot } from './encoded-snapshot.js';
import {
  DEFAULT_HOLD_LIMITS,
  DEFAULT_MAX_BYTES,
  HeldSnapshots,
  type HoldLimits,
  type Shareable,
} from './held-snapshots.js';
import { ReadSlots } from './read-slots.js';
import type { ChunkedSnapshot, IdentitySnapshotRequest, Snapshot, SnapshotSource } from './snapshot.js';

/** With this many subscriptions waiting for one read, a reconnect storm is assumed: more requests will follow. */
const STORM = 16;

/** How long, in a storm, later requests get the same snapshot. They get the changes since then as events. */
const STORM_MS = 1_000;

/** The state of the hub at the time of a request, and its clock. */
export interface Standpoint extends Timers {
  readonly edge: LogPoint;
  /** Changes each time the log is replaced. */
  readonly generation: number;
  readonly floor: () => Promise<LogPoint>;
  /** Whether the subscription still waits for the snapshot. */
  readonly isWanted: () => boolean;
  /** The time in milliseconds, of a monotonic clock. */
  readonly now: () => number;
  /** Calls back in the next event loop turn. */
  readonly nextTurn: (callback: () => void) => void;
}

/** Which snapshot a client gets. */
export interface SnapshotKind {
  /** Clients with equal keys share a snapshot. */
  readonly key: string;
  readonly request: IdentitySnapshotRequest;
}

interface Reading {
  readonly generation: number;
  readonly snapshot: Promise<EncodedSnapshot>;
  /** For each subscription that waits for the read, whether it still does. */
  readonly takers: (() => boolean)[];
}

/**
 * Reads a snapshot once for all requests of its kind during the read, unless the log was replaced in the meantime. In a
 * reconnect storm, requests in the next second share the read too.
 *
 * The memory for slow clients is limited, for all kinds together. Beyond the limit, a new request gets the newest held
 * snapshot of its kind, and the changes since then as events. If there is none, the oldest ones of all kinds are given
 * up, except for those that were read in the last seconds.
 */
export class SnapshotReader {
  readonly #read: (request: IdentitySnapshotRequest) => Promise<Snapshot | ChunkedSnapshot>;
  readonly #limits: HoldLimits;
  readonly #held: HeldSnapshots;
  readonly #slots = new ReadSlots();
  /** By key. */
  readonly #readings = new Map<string, Reading>();
  /** The snapshots that are shared during a storm, by key. The reader itself holds them. */
  readonly #ofStorms = new Map<string, EncodedSnapshot>();
  /** How many reads have begun, and not ended. */
  #running = 0;

  constructor(read: SnapshotSource, limits: HoldLimits = DEFAULT_HOLD_LIMITS) {
    // Turns a synchronous throw into a rejection.
    this.#read = async (request) => read(request);
    this.#limits = limits;
    this.#held = new HeldSnapshots(limits);
  }

  /**
   * Reads a snapshot, or shares one. The caller must release it.
   *
   * @throws PregonError SNAPSHOT_UNAVAILABLE
   */
  read(kind: SnapshotKind, standpoint: Standpoint): Promise<EncodedSnapshot> {
    const joined = this.#join(kind, standpoint);
    if (joined) return joined;
    const ofStorm = this.#ofStorms.get(kind.key);
    if (ofStorm) return this.#shareInStorm(ofStorm, kind, standpoint);
    return this.#held.hasRoom(this.#running) ? this.#start(kind, standpoint) : this.#share(kind, standpoint);
  }

  #join({ key }: SnapshotKind, { generation, isWanted }: Standpoint): Promise<EncodedSnapshot> | undefined {
    const reading = this.#readings.get(key);
    if (reading?.generation !== generation) return undefined;
    reading.takers.push(isWanted);
    return reading.snapshot;
  }

  async #shareInStorm(snapshot: EncodedSnapshot, kind: SnapshotKind, standpoint: Standpoint): Promise<EncodedSnapshot> {
    const { offset } = await standpoint.floor();
    const { isHeld, generation, before } = snapshot;
    if (isHeld && generation === standpoint.generation && before.offset >= offset) return snapshot.hold();
    this.#endStorm(snapshot);
    return this.read(kind, standpoint);
  }

  #endStorm(snapshot: EncodedSnapshot): void {
    if (this.#ofStorms.get(snapshot.key) !== snapshot) return;
    this.#ofStorms.delete(snapshot.key);
    snapshot.release();
  }

  async #share(kind: SnapshotKind, standpoint: Standpoint): Promise<EncodedSnapshot> {
    const { offset: floor } = await standpoint.floor();
    const newest = this.#held.newest(kind.key, shareable(standpoint, floor));
    return newest?.hold() ?? this.#join(kind, standpoint) ?? this.#start(kind, standpoint);
  }

  #start(kind: SnapshotKind, standpoint: Standpoint): Promise<EncodedSnapshot> {
    const { key } = kind;
    const takers = [standpoint.isWanted];
    const done = () => {
      if (this.#readings.get(key)?.takers === takers) this.#readings.delete(key);
      return { takers: takers.length, readAt: standpoint.now() };
    };
    const read = () => this.#readNow(kind, standpoint, takers, done);
    const snapshot = this.#slots.run(read, standpoint).catch((error: unknown) => {
      done();
      throw error;
    });
    this.#readings.set(key, { generation: standpoint.generation, takers, snapshot });
    return snapshot;
  }

  /** @param done ends the time in which requests can join; returns the number of takers, and that time */
  async #readNow(
    kind: SnapshotKind,
    standpoint: Standpoint,
    takers: readonly (() => boolean)[],
    done: () => { takers: number; readAt: number },
  ): Promise<EncodedSnapshot> {
    if (!takers.some((isWanted) => isWanted())) {
      done();
      throw unavailable('no client waits for it');
    }
    if (!this.#held.hasRoom(this.#running)) await this.#makeRoom(standpoint);
    this.#running += 1;
    try {
      const snapshot = await this.#encode(kind, standpoint, done);
      this.#held.add(snapshot);
      if (takers.length >= STORM && !this.#ofStorms.has(kind.key)) {
        this.#ofStorms.set(kind.key, snapshot.hold());
        standpoint.after(STORM_MS, () => this.#endStorm(snapshot));
      }
      return snapshot;
    } finally {
      this.#running -= 1;
    }
  }

  async #makeRoom(standpoint: Standpoint): Promise<void> {
    const { offset: floor } = await standpoint.floor();
    if (this.#held.makeRoom(this.#running, shareable(standpoint, floor))) return;
    throw unavailable('slow clients have not yet taken their snapshots, which fill the memory for them');
  }

  async #encode(
    { key, request }: SnapshotKind,
    { edge: before, generation, now, nextTurn }: Standpoint,
    done: () => { takers: number; readAt: number },
  ): Promise<EncodedSnapshot> {
    try {
      const read = await this.#read(request);
      const { sequence, source, relayed } = read;
      if (!Number.isSafeInteger(sequence) || sequence < 0) throw new TypeError(`${sequence} is not a sequence number`);
      const { maxBytes = DEFAULT_MAX_BYTES } = this.#limits;
      const chunks = 'chunks' in read ? read.chunks : await encodeRows(read.rows, { maxBytes, now, nextTurn });
      return new EncodedSnapshot({ key, chunks, sequence, source, relayed, before, generation, ...done() });
    } catch (cause) {
      throw unavailable(messageOf(cause), cause);
    }
  }
}

function shareable({ generation, now }: Standpoint, floor: number): Shareable {
  return { generation, floor, now: now() };
}

function unavailable(why: string, cause?: unknown): PregonError {
  return new PregonError('SNAPSHOT_UNAVAILABLE', `the snapshot could not be read: ${why}`, { cause });
}
