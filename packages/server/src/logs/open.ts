import { PregonError } from '@pregon/protocol';
import type { Log, LogOptions } from '../core/ports/log.js';
import type { RabbitState } from './rabbitmq/options.js';
import type { RabbitLog } from './rabbitmq/rabbitmq-log.js';
import type { Retention } from './shared/retention.js';
import { isSqliteUrl, sqlitePath, unknownLog } from './sqlite/sqlite-address.js';
import type { SqliteLog, SqliteLogOptions } from './sqlite/sqlite-log.js';

/** What any kind of log is opened with. */
export interface OpenLogOptions extends LogOptions {
  /** What is kept. A RabbitMQ stream that is there keeps what it kept, and none has a `maxCount`. @default 1 GiB */
  readonly retention?: Retention;
  /** Told of what went wrong and costs no event. @default `process.emitWarning` */
  readonly onWarning?: (error: Error) => void;
  /** Ends the wait for a RabbitMQ that cannot be reached: opening rejects with LOG_CLOSED. */
  readonly signal?: AbortSignal;
  /** Whether RabbitMQ can be reached. @default `onWarning`, while waiting */
  readonly onState?: (state: RabbitState) => void;
}

/**
 * Opens the log that a URL names: `sqlite:PATH`, with the path relative to the working directory (`sqlite:~/PATH` for the home directory), or
 * `amqp://USER:PASSWORD@HOST:PORT/VHOST?stream=NAME` (`amqps:` for TLS). Where RabbitMQ cannot be reached, waits until it can.
 *
 * What one kind of log needs is loaded where one is opened.
 *
 * @throws PregonError CONFIG_INVALID | DRIVER_MISSING | LOG_UNAVAILABLE | LOG_CLOSED where `signal` is aborted
 */
export function openLog(url: `sqlite:${string}`, options?: SqliteLogOptions): Promise<SqliteLog>;
export function openLog(url: string, options?: OpenLogOptions): Promise<Log>;
export async function openLog(url: string, options: OpenLogOptions = {}): Promise<Log> {
  if (isSqliteUrl(url)) {
    const path = sqlitePath(url);
    return (await import('./sqlite/sqlite-log.js')).openSqliteLog(path, options);
  }
  if (isRabbitUrl(url)) return openRabbit(url, options);
  throw unknownLog(url);
}

/** @throws PregonError CONFIG_INVALID if {@link openLog} would not even try to open it */
export function assertLogUrl(url: string): void {
  if (isSqliteUrl(url)) sqlitePath(url);
  else if (!isRabbitUrl(url)) throw unknownLog(url);
}

export function isRabbitUrl(url: string): boolean {
  return /^amqps?:/i.test(url);
}

async function openRabbit(url: string, { retention, ...options }: OpenLogOptions): Promise<RabbitLog> {
  const { openRabbitLog } = await import('./rabbitmq/rabbitmq-log.js');
  if (retention === undefined) return openRabbitLog(url, options);
  const { maxCount, ...limits } = retention;
  if (maxCount !== undefined) {
    throw new PregonError('CONFIG_INVALID', 'retention.maxCount: RabbitMQ keeps by maxAge and maxBytes, not by count');
  }
  return openRabbitLog(url, { ...options, retention: limits });
}
