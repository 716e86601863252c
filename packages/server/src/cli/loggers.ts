import { destination, pino } from 'pino';
import type { Logger } from '../gateway/options.js';

export const LOG_FORMATS = ['text', 'json'] as const;

/**
 * Both write to standard output, and go on in silence where nobody reads it any more.
 *
 * @param worker the number of the process, where several write
 */
export function createLogger(format: string, level: 'info' | 'debug', worker?: number): Logger {
  return format === 'json' ? createJsonLogger(level, worker) : createTextLogger(level, worker);
}

function createJsonLogger(level: 'info' | 'debug', worker: number | undefined): Logger {
  return pino({ level, base: { pid: process.pid, worker } }, destination({ fd: 1, sync: true }));
}

/** One short line: `12:00:00.000 info  connection opened route=events connection=…`. */
function createTextLogger(level: 'info' | 'debug', worker: number | undefined): Logger {
  const line = (name: string) => (fields: object, message: string) => {
    const pairs = Object.entries(worker === undefined ? fields : { worker, ...fields }).filter(
      ([, value]) => value !== undefined,
    );
    const text = [message, ...pairs.map(([key, value]) => showPair(key, value, level))].join(' ');
    process.stdout.write(`${timeOfDay(new Date())} ${name.padEnd(5)} ${text}\n`);
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

function showPair(key: string, value: unknown, level: 'info' | 'debug'): string {
  if (value instanceof Error)
    return `${key}=${quote(level === 'debug' ? (value.stack ?? value.message) : value.message)}`;
  return `${key}=${typeof value === 'string' ? quote(value) : quoteControls(JSON.stringify(value) ?? String(value))}`;
}

function quote(text: string): string {
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : quoteControls(JSON.stringify(text));
}

/** Those that JSON leaves as they are (U+007F to U+009F) could steer the terminal of whoever reads the log. */
function quoteControls(json: string): string {
  return json.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
