import type { Log } from '../core/ports/log.js';
import type { LogDriver, OpenLogOptions } from '../core/ports/log-driver.js';
import { assertApart, findDriver, unknownLog } from './drivers.js';
import { memoryDriver } from './memory/memory-driver.js';
import { rabbitDriver } from './rabbitmq/rabbitmq-driver.js';
import { sqliteDriver } from './sqlite/sqlite-driver.js';
import type { SqliteLog, SqliteLogOptions } from './sqlite/sqlite-log.js';

export type { SqliteLog, SqliteLogOptions };

/** The kinds of logs that need no `logDrivers`. To add one, add a folder, and its driver here: nothing else names it. */
const BUILT_IN: readonly LogDriver[] = [sqliteDriver, rabbitDriver, memoryDriver];

export interface OpenLogWithDrivers extends OpenLogOptions {
  /** More kinds of logs than those that are built in. */
  readonly drivers?: readonly LogDriver[] | undefined;
}

/**
 * Opens the log that a URL names: `sqlite:PATH`, with the path relative to the working directory (`sqlite:~/PATH` for the home directory), or
 * `amqp://USER:PASSWORD@HOST:PORT/VHOST?stream=NAME` (`amqps:` for TLS), or whatever one of `drivers` knows. Where RabbitMQ cannot be
 * reached, waits until it can.
 *
 * What one kind of log needs is loaded where one is opened.
 *
 * @throws PregonError CONFIG_INVALID | DRIVER_MISSING | LOG_UNAVAILABLE | LOG_CLOSED where `signal` is aborted
 */
export function openLog(url: `sqlite:${string}`, options?: SqliteLogOptions): Promise<SqliteLog>;
export function openLog(url: string, options?: OpenLogWithDrivers): Promise<Log>;
export async function openLog(url: string, { drivers, ...options }: OpenLogWithDrivers = {}): Promise<Log> {
  return driverFor(url, drivers).open(url, options);
}

/** @throws PregonError CONFIG_INVALID if no driver knows the URL, or two have one scheme */
export function driverFor(url: string, drivers: readonly LogDriver[] = []): LogDriver {
  const all = [...BUILT_IN, ...drivers];
  assertApart(all);
  const driver = findDriver(url, all);
  if (driver) return driver;
  throw unknownLog(url, all);
}

/** The driver of a URL, if it is one of those that are built in. */
export function builtInDriver(url: string): LogDriver | undefined {
  return findDriver(url, BUILT_IN);
}

/** @throws PregonError CONFIG_INVALID if {@link openLog} would not even try to open it */
export function assertLogUrl(url: string): void {
  driverFor(url).assertUrl(url);
}
