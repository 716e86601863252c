import { decodePosition, encodePosition, type LogPoint } from '@pregon/protocol';
import type { Log } from '../../core/ports/log.js';
import type { LogEntry, LogFollower, Page } from '../../core/ports/log-entry.js';

const DEADLINE_MS = 100_000;

/** A follower of a log that records all calls. */
export class Recorder implements LogFollower {
  readonly entries: LogEntry[] = [];
  /** Each call, in order: `appended 3`, `replaced`, `unavailable`, `available`. */
  readonly calls: string[] = [];
  readonly heads: LogPoint[] = [];
  /** The end of the last page. */
  through: LogPoint | undefined;
  readonly #waiting = new Set<() => void>();

  appended(page: Page): void {
    this.entries.push(...page.entries);
    this.through = page.through;
    this.#called(`appended ${page.entries.length}`);
  }

  replaced(head: LogPoint): void {
    this.heads.push(head);
    this.#called('replaced');
  }

  unavailable(error: Error): void {
    this.#called(`unavailable: ${error.message}`);
  }

  available(): void {
    this.#called('available');
  }

  get ids(): string[] {
    return this.entries.map(idOf);
  }

  /** Waits until a condition holds. @param what names the condition in the error */
  until(what: string, holds: () => boolean, deadlineMs = DEADLINE_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!holds()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(
          new Error(`timed out waiting for ${what}; ${this.entries.length} entries, calls: ${this.calls.slice(-20)}`),
        );
      }, deadlineMs);
      this.#waiting.add(check);
      check();
    });
  }

  untilCount(count: number): Promise<void> {
    return this.until(`${count} entries`, () => this.entries.length >= count);
  }

  #called(call: string): void {
    this.calls.push(call);
    for (const check of [...this.#waiting]) check();
  }
}

export function parsePayload(entry: LogEntry): Record<string, unknown> {
  return JSON.parse(Buffer.from(entry.payload).toString('utf8'));
}

export function idOf(entry: LogEntry): string {
  return String(parsePayload(entry)['id']);
}

/** Reads all retained entries after an offset, page by page. */
export async function readAll(
  log: Log,
  after = 0,
  page: { maxCount?: number; maxBytes?: number } = {},
): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let from = after; ; ) {
    const { entries: read, through } = await log.read({ after: from, ...page });
    entries.push(...read);
    if (through.offset <= from) return entries;
    from = through.offset;
  }
}

/** Encodes and decodes a point, as if a client had held it. */
export function roundTrip(point: LogPoint): LogPoint {
  return decodePosition(encodePosition(point));
}
