import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** A place for log lines that never blocks the event loop, and no other thread for long. */
export interface LogSink {
  /**
   * The most bytes that are taken at once. As long as no write is larger, the lines of several processes do not mix, and none is cut.
   */
  readonly maxBytes: number;
  /**
   * Says how many bytes were written: at once if that never blocks, else with a promise. Throws, or rejects, if it takes none for now: full,
   * broken or gone.
   */
  write(bytes: Buffer): number | Promise<number>;
  /** Writes at the end of the process, without blocking. @returns whether all was taken; undefined if there is no such way */
  readonly writeNow?: (bytes: Buffer) => boolean;
}

/** `PIPE_BUF` of Linux: what a pipe takes as a whole or not at all. */
const PIPE_BUFFER_BYTES = 4_096;

const FILE_BUFFER_BYTES = 65_536;

const STDOUT = 1;

/**
 * The standard output of this process, for log lines.
 *
 * - A pipe or a terminal is opened anew, without blocking. The flag belongs to that new description: programs that share the pipe, and child
 *   processes that inherit it, neither see nor change it. It is written at once: to hand a write to a thread costs several times the write.
 * - A file is written by a thread; a disk, unlike a reader, does not make it wait for ever.
 * - A socket, as systemd's journal is, and what cannot be opened anew, is written through `process.stdout`.
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

/** Undefined on systems without /proc, and if this user may not open what another user has made. */
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

/** @param fd does not block */
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
