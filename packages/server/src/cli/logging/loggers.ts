import { pino } from 'pino';
import type { Logger } from '../../gateway/options.js';
import { visible } from '../terminal/terminal-text.js';
import { LogQueue } from './log-queue.js';
import { openStandardOutput } from './log-sink.js';
import { shortenJson, shortenText } from './shorten-line.js';

export const LOG_FORMATS = ['text', 'json'] as const;

/** How long a process that ends waits for a log that is not read. */
const FLUSH_MS = 500;

/** The logger of a process. It writes to standard output, and neither blocks nor fails if that is slow or broken. */
export interface ProcessLogger extends Logger {
  /** How many lines were dropped because standard output was too slow, or a line too long. */
  readonly dropped: number;
  /** Prints text of several lines, in order with the log lines. */
  print(text: string): void;
  /** Resolves when all lines are written, or after 500 ms. */
  flush(): Promise<void>;
}

/** @param worker the number of the worker process; undefined if there is only one process */
export function createLogger(format: string, level: 'info' | 'debug', worker?: number): ProcessLogger {
  const sink = openStandardOutput();
  let logDropped = (_count: number) => '';
  const queue = new LogQueue({ sink, droppedLine: (count) => logDropped(count) });
  const write = (line: string) => queue.write(line);
  const create = format === 'json' ? createJsonLogger : createTextLogger;
  const { info, warn, error, debug } = create({ level, worker, maxBytes: sink.maxBytes, write });
  // The queue requests this line when it has room for it.
  const lines: string[] = [];
  const aside = create({ level, worker, maxBytes: sink.maxBytes, write: (line) => lines.push(line) });
  logDropped = (count) => {
    aside.warn({ dropped: count }, `log lines dropped: ${count}`);
    return lines.splice(0).join('');
  };
  return {
    info,
    warn,
    error,
    debug,
    get dropped() {
      return queue.dropped;
    },
    print: (text) => {
      for (const line of text.split('\n')) write(shortenText(`${visible(line)}\n`, sink.maxBytes));
    },
    flush: () => queue.flush(FLUSH_MS),
  };
}

interface LineOptions {
  readonly level: 'info' | 'debug';
  readonly worker: number | undefined;
  readonly maxBytes: number;
  readonly write: (line: string) => void;
}

function createJsonLogger({ level, worker, maxBytes, write }: LineOptions): Logger {
  const options = { level, base: { pid: process.pid, worker } };
  const logger = pino(options, { write: (line) => write(shortenJson(`${visible(line.trimEnd())}\n`, maxBytes)) });
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    debug: (fields, message) => logger.debug(fields, message),
  };
}

/** One short line: `12:00:00.000 info  connection opened route=events connection=…`. */
function createTextLogger({ level, worker, maxBytes, write }: LineOptions): Logger {
  const line = (name: string) => (fields: object, message: string) => {
    const pairs = Object.entries(worker === undefined ? fields : { worker, ...fields }).filter(
      ([, value]) => value !== undefined,
    );
    const text = [message, ...pairs.map(([key, value]) => `${key}=${showValue(value, level)}`)].join(' ');
    write(shortenText(`${timeOfDay(new Date())} ${name.padEnd(5)} ${visible(text)}\n`, maxBytes));
  };
  return {
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    debug: level === 'debug' ? line('debug') : () => {},
  };
}

function timeOfDay(now: Date): string {
  return `${now.toTimeString().slice(0, 8)}.${String(now.getMilliseconds()).padStart(3, '0')}`;
}

function showValue(value: unknown, level: 'info' | 'debug'): string {
  if (value instanceof Error) return quote(level === 'debug' ? (value.stack ?? value.message) : value.message);
  return typeof value === 'string' ? quote(value) : toJson(value);
}

function quote(text: string): string {
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}

/** A value that JSON cannot represent (a cycle, a BigInt) must not lose the line. */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return '[not JSON]';
  }
}
