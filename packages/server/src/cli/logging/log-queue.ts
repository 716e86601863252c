import { Backoff } from '../../core/time/backoff.js';
import { atMost } from '../../core/time/deadline.js';
import type { LogSink } from './log-sink.js';

/** How many bytes of lines wait for a destination that does not take them. */
export const MAX_QUEUED_BYTES = 1_048_576;

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/** Whole lines that are written at once; of which a destination may take a part only. */
interface Chunk {
  readonly bytes: Buffer;
  written: number;
}

export interface LogQueueOptions {
  readonly sink: LogSink;
  /** The line that says how many lines were dropped. */
  readonly droppedLine: (count: number) => string;
  /** @default 1048576 (1 MiB) */
  readonly maxBytes?: number;
}

/**
 * Log lines on their way to a destination that may be slow, full, broken or gone. Writing a line never blocks and never throws. Lines
 * keep their order and are written whole. While the destination takes nothing, up to `maxBytes` wait for it; further lines are dropped
 * and counted, and the count is logged when there is room again.
 */
export class LogQueue {
  readonly #sink: LogSink;
  readonly #droppedLine: (count: number) => string;
  readonly #maxBytes: number;
  readonly #lines: Buffer[] = [];
  #queuedBytes = 0;
  #chunk: Chunk | undefined;
  #isWriting = false;
  #isScheduled = false;
  #retry: NodeJS.Timeout | undefined;
  readonly #backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, Math.random);
  #dropped = 0;
  #unreported = 0;
  /** Once a line was dropped, all are, until half of the queue has gone: so what is missing is one gap with one count. */
  #isDropping = false;
  #onEmpty: (() => void)[] = [];

  constructor({ sink, droppedLine, maxBytes = MAX_QUEUED_BYTES }: LogQueueOptions) {
    this.#sink = sink;
    this.#droppedLine = droppedLine;
    this.#maxBytes = maxBytes;
    process.once('exit', () => this.#writeLast());
  }

  /** How many lines were dropped since the start of the process. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @param line with its newline, and no other */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#isDropping || this.#queuedBytes + bytes.length > this.#maxBytes || bytes.length > this.#sink.maxBytes) {
      this.#isDropping ||= this.#queuedBytes > this.#maxBytes / 2;
      this.#drop(1);
    } else {
      this.#push(bytes);
    }
    this.#schedule();
  }

  /** Resolves when all lines are written, or after `timeoutMs`. */
  async flush(timeoutMs: number): Promise<void> {
    if (!this.#chunk && this.#lines.length === 0) return;
    await atMost(timeoutMs, new Promise<void>((resolve) => this.#onEmpty.push(resolve)));
  }

  #push(bytes: Buffer): void {
    this.#lines.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.#unreported += count;
  }

  /** The lines of one turn of the event loop are written together: each write costs as much as several lines. */
  #schedule(): void {
    if (this.#isScheduled || this.#isWriting || this.#retry) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#next();
    });
  }

  #next(): void {
    while (!this.#isWriting && !this.#retry) {
      this.#reportDropped();
      this.#chunk ??= this.#takeChunk();
      if (!this.#chunk) {
        for (const resolve of this.#onEmpty.splice(0)) resolve();
        return;
      }
      this.#send(this.#chunk);
    }
  }

  #send(chunk: Chunk): void {
    const { bytes, written } = chunk;
    try {
      const taken = this.#sink.write(written === 0 ? bytes : bytes.subarray(written));
      if (typeof taken === 'number') return this.#wrote(chunk, taken);
      this.#isWriting = true;
      taken.then(
        (count) => {
          this.#isWriting = false;
          this.#wrote(chunk, count);
          this.#next();
        },
        () => this.#failed(),
      );
    } catch {
      this.#failed();
    }
  }

  #wrote(chunk: Chunk, count: number): void {
    // Without a pause, a sink that takes nothing and reports no error would be asked for ever.
    if (count === 0) return this.#failed();
    chunk.written += count;
    if (chunk.written >= chunk.bytes.length) {
      this.#queuedBytes -= chunk.bytes.length;
      this.#chunk = undefined;
    }
    this.#backoff.reset();
  }

  /** Full, broken or gone, and it may come back: a reader that starts again, a disk that is cleared. */
  #failed(): void {
    this.#isWriting = false;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#next();
    }, this.#backoff.nextMs()).unref();
  }

  #reportDropped(): void {
    if (this.#unreported === 0 || this.#queuedBytes > this.#maxBytes / 2) return;
    const bytes = Buffer.from(this.#droppedLine(this.#unreported));
    this.#unreported = 0;
    this.#isDropping = false;
    if (bytes.length <= this.#sink.maxBytes) this.#push(bytes);
  }

  /** As many whole lines as the destination takes at once. */
  #takeChunk(): Chunk | undefined {
    let size = 0;
    let lines = 0;
    for (const line of this.#lines) {
      if (lines > 0 && size + line.length > this.#sink.maxBytes) break;
      size += line.length;
      lines++;
    }
    if (lines === 0) return undefined;
    return { bytes: Buffer.concat(this.#lines.splice(0, lines)), written: 0 };
  }

  /** At the end of a process that did not flush, after a crash for example: writes what the destination takes at once. */
  #writeLast(): void {
    const { writeNow } = this.#sink;
    if (!writeNow) return;
    // Another thread may be writing the current chunk.
    if (this.#isWriting) this.#chunk = undefined;
    for (let chunk = this.#chunk ?? this.#takeChunk(); chunk; chunk = this.#takeChunk()) {
      if (!writeNow(chunk.bytes.subarray(chunk.written))) return;
    }
  }
}
