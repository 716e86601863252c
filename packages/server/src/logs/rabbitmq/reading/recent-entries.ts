import type { LogPoint } from '@pregon/protocol';
import type { StreamEntry } from '../messages/stream-entry.js';

/** The most entries that are remembered, some 15 MB; at least half of them always are: at 2,000 events a second the last 25 s. */
export const REMEMBERED_ENTRIES = 100_000;

/** The entries that were read last, in the order of the stream: what stands at an offset, and which events had been there before. */
export class RecentEntries {
  readonly #most: number;
  /** Parallel; when full, the older half goes. */
  #offsets: number[] = [];
  #fingerprints: number[] = [];
  #keys: (string | undefined)[] = [];
  readonly #firsts = new Map<string, number>();
  readonly #duplicates = new Set<number>();

  constructor(most = REMEMBERED_ENTRIES) {
    this.#most = most;
  }

  /** The first offset that is remembered; infinite where none is. */
  get first(): number {
    return this.#offsets[0] ?? Number.POSITIVE_INFINITY;
  }

  /** To be called for each entry in turn. Whether it is an event whose source and id are remembered already. */
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

  /** Where the event with this key stood first. */
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

  /** Duplicates are few: they are remembered for longer, so that who reads far behind gets what was delivered. */
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
