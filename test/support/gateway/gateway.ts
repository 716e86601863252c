import { join } from 'node:path';
import type { PregonEvent } from '@pregon/protocol';
import {
  createGateway,
  type Gateway,
  type GatewayOptions,
  type ListenOptions,
  type Log,
  type OnlySocketIoTypes,
  openLog,
  type SocketIoTypes,
} from 'pregon';
import { afterTest, temporaryFolder } from '../cleanup.js';
import { freePort } from '../ports.js';

export interface TestGateway<T extends OnlySocketIoTypes<T> = SocketIoTypes> {
  readonly gateway: Gateway<T>;
  /** A second handle of the log file, like that of an application beside the gateway. */
  readonly log: Log;
  readonly logFile: string;
  readonly port: number;
  /** The WebSocket URL of a path. */
  ws(path: string): string;
  /** The HTTP URL of a path. */
  http(path: string): string;
  /** Appends `count` events with consecutive numbers in `data.n`, starting at `from`. */
  append(count: number, options?: AppendOptions): Promise<PregonEvent[]>;
}

export interface AppendOptions {
  /** @default the number after the last one */
  readonly from?: number;
  /** @default 'events' */
  readonly exchange?: string;
  /** @default `n.<n>` */
  readonly topic?: (n: number) => string;
  readonly type?: string;
  /** Bytes of padding in the data. @default 0 */
  readonly padding?: number;
}

export interface StartOptions extends Partial<GatewayOptions> {
  readonly listen?: ListenOptions;
  /**
   * An existing log file.
   * @default a new one in a separate folder
   */
  readonly logFile?: string;
}

/** Starts a gateway on a SQLite log and a free loopback port; both are closed after the test. */
export async function startGateway<T extends OnlySocketIoTypes<T> = SocketIoTypes>(
  options: StartOptions = {},
): Promise<TestGateway<T>> {
  const { listen, logFile = join(temporaryFolder(), 'log.db'), ...rest } = options;
  const gateway = await createGateway<T>({
    log: `sqlite:${logFile}`,
    routes: { events: { path: '/events' } },
    ...rest,
  });
  afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
  const { port } = await gateway.listen({ ...listen, port: listen?.port ?? (await freePort()) });
  const secure = listen?.cert === undefined ? '' : 's';
  const log = await openTestLog(logFile);
  return {
    gateway,
    log,
    logFile,
    port,
    ws: (path) => `ws${secure}://127.0.0.1:${port}${path}`,
    http: (path) => `http${secure}://127.0.0.1:${port}${path}`,
    append: appender(log),
  };
}

/** Opens a log; it is closed after the test. */
export async function openTestLog(logFile: string): Promise<Log> {
  const log = await openLog(`sqlite:${logFile}`);
  afterTest(() => log.close());
  return log;
}

/** Appends numbered events to a log. */
export function appender(log: Log): TestGateway['append'] {
  let next = 1;
  return async (count, options = {}) => {
    const from = options.from ?? next;
    next = from + count;
    const events = Array.from({ length: count }, (_, i) => numberedEvent(from + i, options));
    for (let at = 0; at < count; at += 1_000) await log.append(events.slice(at, at + 1_000));
    return events;
  };
}

export function numberedEvent(n: number, options: AppendOptions = {}): PregonEvent<{ n: number; padding?: string }> {
  const { exchange = 'events', topic = (number: number) => `n.${number}`, type = 'WasNumbered', padding = 0 } = options;
  return {
    specversion: '1.0',
    id: `${exchange}-${n}`,
    source: '/test',
    type,
    topic: topic(n),
    exchange,
    data: padding === 0 ? { n } : { n, padding: 'x'.repeat(padding) },
  };
}

/** The number of an event that {@link numberedEvent} made. */
export function numberOf(event: PregonEvent): number {
  const { data } = event;
  if (typeof data === 'object' && data !== null && 'n' in data && typeof data.n === 'number') return data.n;
  throw new TypeError(`not a numbered event: ${JSON.stringify(event).slice(0, 200)}`);
}

/** The integers from `first` to `last`, both included. */
export function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
