import type { Scan } from './scan.js';

/** The maximum number of idle scans, and their lifetime: a reader that catches up requests the next page at once. */
const MOST = 16;
const IDLE_MS = 1_000;

interface Kept {
  readonly scan: Scan;
  readonly timer: NodeJS.Timeout;
}

/** Idle scans, ready for a reader that continues at their position. Each costs the broker a consumer. */
export class ScanPool {
  readonly #kept = new Set<Kept>();

  /** Removes and returns the scan whose last entry is at an offset; undefined if there is none. */
  take(offset: number): Scan | undefined {
    for (const kept of this.#kept) {
      if (kept.scan.position.offset !== offset) continue;
      this.#remove(kept);
      if (!kept.scan.failed) return kept.scan;
    }
    return undefined;
  }

  keep(scan: Scan): void {
    const timer = setTimeout(() => this.#end(kept), IDLE_MS).unref();
    const kept = { scan, timer };
    this.#kept.add(kept);
    for (const oldest of this.#kept) {
      if (this.#kept.size <= MOST) return;
      this.#end(oldest);
    }
  }

  clear(): void {
    for (const kept of this.#kept) this.#end(kept);
  }

  #end(kept: Kept): void {
    this.#remove(kept);
    void kept.scan.close();
  }

  #remove(kept: Kept): void {
    clearTimeout(kept.timer);
    this.#kept.delete(kept);
  }
}
