import type { EncodedSnapshot } from './encoded-snapshot.js';

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
export const DEFAULT_MAX_BYTES = 268_435_456;

export const DEFAULT_HOLD_LIMITS: HoldLimits = { bytes: 67_108_864, ms: 60_000, maxBytes: DEFAULT_MAX_BYTES };

/** How many snapshots are held whatever their size. */
const ALWAYS_HELD = 2;

/**
 * How long a client has to take its snapshot before another client may need the memory. A client that reads it in this
 * time makes progress, however many clients with other rights are slow.
 */
const SAFE_MS = 5_000;

/** The state of the log against which a held snapshot is checked before it is shared. */
export interface Shareable {
  readonly generation: number;
  /** The offset of the log's floor: it has dropped the events before. */
  readonly floor: number;
  /** The time in milliseconds, of a monotonic clock. */
  readonly now: number;
}

/** The snapshots of a route that clients have not taken completely, oldest first, whatever their rights. */
export class HeldSnapshots {
  readonly #limits: HoldLimits;
  readonly #all = new Set<EncodedSnapshot>();
  #bytes = 0;
  #newestBytes = 0;

  constructor(limits: HoldLimits) {
    this.#limits = limits;
  }

  add(snapshot: EncodedSnapshot): void {
    this.#newestBytes = snapshot.bytes;
    if (!snapshot.isHeld) return;
    this.#all.add(snapshot);
    this.#bytes += snapshot.bytes;
    snapshot.onFreed(() => {
      if (this.#all.delete(snapshot)) this.#bytes -= snapshot.bytes;
    });
  }

  /** @param reading the number of snapshots that are being read. Each may become as large as the newest one */
  hasRoom(reading: number): boolean {
    if (this.#all.size + reading < ALWAYS_HELD) return true;
    return this.#bytes + (reading + 1) * this.#newestBytes <= this.#limits.bytes;
  }

  /** The newest snapshot for this key that is not too old and whose later events the log still retains. */
  newest(key: string, { generation, floor, now }: Shareable): EncodedSnapshot | undefined {
    const since = now - this.#limits.ms;
    return [...this.#all].findLast(
      (held) =>
        held.key === key && held.generation === generation && held.before.offset >= floor && held.readAt >= since,
    );
  }

  /**
   * Gives up the oldest snapshots until there is room: a subscription that has not taken all of one must start again.
   *
   * @returns whether there is room. Snapshots that were read a short time ago are kept
   */
  makeRoom(reading: number, { generation, floor, now }: Shareable): boolean {
    for (const held of this.#all) {
      if (this.hasRoom(reading)) return true;
      const isUseless = held.generation !== generation || held.before.offset < floor;
      if (isUseless || held.readAt <= now - SAFE_MS) held.giveUp();
    }
    return this.hasRoom(reading);
  }
}
