import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** A destination for log lines. It never blocks the event loop, and other threads only briefly. */
export interface LogSink {
  /**
   * The most bytes in one write. If no write is larger, lines of several processes do not mix, and no line is cut.
   */
  readonly maxBytes: number;
  /**
   * Returns how many bytes were written: a number if the write never blocks, else a promise. Throws or rejects if the
   * destination takes no bytes for now because it is full, broken or closed.
   */
  write(bytes: Buffer): number | Promise<number>;
  /**
   * Writes at process exit without blocking. Returns whether all bytes were taken. Undefined if the sink cannot do so.
   */
  readonly writeNow?: (bytes: Buffer) => boolean;
}

/** `PIPE_BUF` of Linux: a write of at most this size to a pipe is atomic. */
const PIPE_BUFFER_BYTES = 4_096;

const FILE_BUFFER_BYTES = 65_536;

const STDOUT = 1;

/**
 * The standard output of this process, as a destination for log lines.
 *
 * - A pipe or a terminal is opened again as non-blocking. The flag belongs to the new file description, so programs
 *   that share the pipe and child processes that inherit it are not affected. The write happens on this thread, because
 *   handing it to another thread costs several times as much as the write.
 * - A file is written by another thread. A disk, unlike a pipe, does not wait for a reader.
 * - A socket (systemd's journal is one), or anything that cannot be opened again, is written through `process.stdout`.
 */
export function openStandardOutput(): LogSink {
  const kind = kindOf(STDOUT);
  if (kind === 'file') return fileSink(STDOUT, FILE_BUFFER_BYTES);
  const fd = kind === 'waiting' ? reopen(STDOUT) : undefined;
  return fd === undefined ? streamSink(process.stdout) : directSink(fd);
}

function kindOf(fd: number): 'file' | 'waiting' | 'other' {
  try {
    if (isatty(fd)) return 'waiting';
    const stat = fstatSync(fd);
    if (stat.isFIFO()) return 'waiting';
    return stat.isFile() || stat.isCharacterDevice() ? 'file' : 'other';
  } catch {
    return 'other';
  }
}

/** Undefined on systems without /proc, and if another user created the file and this user may not open it. */
function reopen(fd: number): number | undefined {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return undefined;
  }
}

function fileSink(fd: number, maxBytes: number): LogSink {
  return {
    maxBytes,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        write(fd, bytes, 0, bytes.length, null, (error, count) => (error ? reject(error) : resolve(count)));
      }),
    writeNow: (bytes) => writesAll(fd, bytes),
  };
}

/** @param fd a non-blocking file descriptor */
function directSink(fd: number): LogSink {
  return {
    maxBytes: PIPE_BUFFER_BYTES,
    write: (bytes) => writeSync(fd, bytes),
    writeNow: (bytes) => writesAll(fd, bytes),
  };
}

function writesAll(fd: number, bytes: Buffer): boolean {
  try {
    return writeSync(fd, bytes) === bytes.length;
  } catch {
    return false;
  }
}

function streamSink(stream: NodeJS.WriteStream): LogSink {
  return {
    maxBytes: PIPE_BUFFER_BYTES,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => (error ? reject(error) : resolve(bytes.length)));
      }),
  };
}
