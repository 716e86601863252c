import type { LogPoint } from '@pregon/protocol';
import type { StreamEntry } from '../messages/stream-entry.js';

/**
 * The maximum number of remembered entries, about 15 MB. At least half of them are always remembered: at 2,000 events
 * per second, the last 25 s.
 */
export const REMEMBERED_ENTRIES = 100_000;

/**
 * The entries that were read last, in the order of the stream: their fingerprints by offset, and which events are
 * repetitions.
 */
export class RecentEntries {
  readonly #most: number;
  /** Parallel arrays. When they are full, the older half is dropped. */
  #offsets: number[] = [];
  #fingerprints: number[] = [];
  #keys: (string | undefined)[] = [];
  readonly #firsts = new Map<string, number>();
  readonly #duplicates = new Set<number>();

  constructor(most = REMEMBERED_ENTRIES) {
    this.#most = most;
  }

  /** The first remembered offset; infinite if there is none. */
  get first(): number {
    return this.#offsets[0] ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Must be called for each entry in order. Returns whether it is an event whose source and id are already remembered.
   */
  add(entry: StreamEntry): boolean {
    if (this.#offsets.length >= this.#most) this.#dropOlderHalf();
    this.#offsets.push(entry.offset);
    this.#fingerprints.push(entry.fingerprint);
    const key = entry.kind === 'event' ? entry.key : undefined;
    const isDuplicate = key !== undefined && this.#firsts.has(key);
    this.#keys.push(isDuplicate ? undefined : key);
    if (isDuplicate) this.#rememberDuplicate(entry.offset);
    else if (key !== undefined) this.#firsts.set(key, entry.offset);
    return isDuplicate;
  }

  isDuplicate(offset: number): boolean {
    return this.#duplicates.has(offset);
  }

  /** Returns the first point of the event with this key. */
  firstOf(key: string): LogPoint | undefined {
    const offset = this.#firsts.get(key);
    const fingerprint = offset === undefined ? undefined : this.fingerprintAt(offset);
    return offset === undefined || fingerprint === undefined ? undefined : { offset, fingerprint };
  }

  fingerprintAt(offset: number): number | undefined {
    let low = 0;
    let high = this.#offsets.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.#offsets[middle] ?? 0;
      if (found === offset) return this.#fingerprints[middle];
      if (found < offset) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /**
   * Repetitions are rare, so they are remembered longer: readers that are far behind then get the same events as live
   * readers.
   */
  #rememberDuplicate(offset: number): void {
    this.#duplicates.add(offset);
    if (this.#duplicates.size <= this.#most) return;
    for (const oldest of this.#duplicates) {
      this.#duplicates.delete(oldest);
      return;
    }
  }

  #dropOlderHalf(): void {
    const count = Math.ceil(this.#most / 2);
    for (const key of this.#keys.slice(0, count)) {
      if (key !== undefined) this.#firsts.delete(key);
    }
    this.#offsets = this.#offsets.slice(count);
    this.#fingerprints = this.#fingerprints.slice(count);
    this.#keys = this.#keys.slice(count);
  }
}
