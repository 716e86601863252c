import { Backoff } from '../../core/time/backoff.js';
import { atMost } from '../../core/time/deadline.js';
import type { LogSink } from './log-sink.js';

/** How many bytes of lines may wait for a slow destination. */
export const MAX_QUEUED_BYTES = 1_048_576;

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/** Whole lines that are passed to the destination together. It may take only a part of them. */
interface Chunk {
  readonly bytes: Buffer;
  written: number;
}

export interface LogQueueOptions {
  readonly sink: LogSink;
  /** Makes the line that reports how many lines were dropped. */
  readonly droppedLine: (count: number) => string;
  /** Bytes of waiting lines. @default 1048576 (1 MiB) */
  readonly maxBytes?: number;
}

/**
 * A queue of log lines for a destination that may be slow, full, broken or closed. Writing a line never blocks and
 * never throws. Lines keep their order and are written whole. While the destination takes nothing, up to `maxBytes`
 * wait for it. Further lines are dropped and counted, and the count is logged when there is room again.
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
  /** After a dropped line, all lines are dropped until the queue is half empty. So there is one gap with one count. */
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

  /** @param line one line that ends with its only newline */
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

  /** Writes the lines of one event loop turn together, because a write costs as much as several lines. */
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
    // Without a pause, a sink that takes nothing and reports no error would cause an endless loop.
    if (count === 0) return this.#failed();
    chunk.written += count;
    if (chunk.written >= chunk.bytes.length) {
      this.#queuedBytes -= chunk.bytes.length;
      this.#chunk = undefined;
    }
    this.#backoff.reset();
  }

  /** Retries with backoff: the destination may recover, as a reader restarts or a disk gets free space. */
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

  /** As many whole lines as the destination takes in one write. */
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

  /**
   * Runs at the exit of a process that did not flush, such as after a crash. It writes what the destination takes at
   * once.
   */
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
