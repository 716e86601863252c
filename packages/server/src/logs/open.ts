import type { Log } from '../core/ports/log.js';
import type { LogDriver, OpenLogOptions } from '../core/ports/log-driver.js';
import { assertApart, findDriver, unknownLog } from './drivers.js';
import { memoryDriver } from './memory/memory-driver.js';
import { rabbitDriver } from './rabbitmq/rabbitmq-driver.js';
import { sqliteDriver } from './sqlite/sqlite-driver.js';
import type { SqliteLog, SqliteLogOptions } from './sqlite/sqlite-log.js';

export type { SqliteLog, SqliteLogOptions };

/**
 * The kinds of logs that work without `logDrivers`. To add a kind, add a folder and list its driver here; no other file
 * names it.
 */
const BUILT_IN: readonly LogDriver[] = [sqliteDriver, rabbitDriver, memoryDriver];

export interface OpenLogWithDrivers extends OpenLogOptions {
  /** Drivers for more kinds of logs than the built-in ones. */
  readonly drivers?: readonly LogDriver[] | undefined;
}

/**
 * Opens the log that a URL names. It loads a driver's dependencies only when a log of that kind is opened. If RabbitMQ
 * cannot be reached, it waits until it can.
 *
 * @param url `sqlite:PATH`, relative to the working directory (`sqlite:~/PATH` is in the home directory); or
 * `amqp://USER:PASSWORD@HOST:PORT/VHOST?stream=NAME` (`amqps:` for TLS); or a URL that one of `drivers` knows
 * @throws PregonError CONFIG_INVALID | DRIVER_MISSING | LOG_UNAVAILABLE; LOG_CLOSED if `signal` is aborted
 * @example
 * const log = await openLog('sqlite:data/pregon.db');
 * const { entries } = await log.read({ after: 0, maxCount: 10 });
 * await log.close();
 */
export function openLog(url: `sqlite:${string}`, options?: SqliteLogOptions): Promise<SqliteLog>;
export function openLog(url: string, options?: OpenLogWithDrivers): Promise<Log>;
export async function openLog(url: string, { drivers, ...options }: OpenLogWithDrivers = {}): Promise<Log> {
  return driverFor(url, drivers).open(url, options);
}

/** @throws PregonError CONFIG_INVALID if no driver knows the URL, or if two drivers share a scheme */
export function driverFor(url: string, drivers: readonly LogDriver[] = []): LogDriver {
  const all = [...BUILT_IN, ...drivers];
  assertApart(all);
  const driver = findDriver(url, all);
  if (driver) return driver;
  throw unknownLog(url, all);
}

/** Returns the built-in driver for a URL; undefined if there is none. */
export function builtInDriver(url: string): LogDriver | undefined {
  return findDriver(url, BUILT_IN);
}

/** Checks a URL without opening the log. @throws PregonError CONFIG_INVALID if {@link openLog} cannot accept the URL */
export function assertLogUrl(url: string): void {
  driverFor(url).assertUrl(url);
}
