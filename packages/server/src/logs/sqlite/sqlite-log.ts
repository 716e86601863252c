import { realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import {
  assertMaxEventBytes,
  DEFAULT_MAX_EVENT_BYTES,
  type LogPoint,
  PregonError,
  type PregonEvent,
} from '@pregon/protocol';
import type { Ephemeral } from '../../core/ports/ephemeral.js';
import type { LogOptions } from '../../core/ports/log.js';
import type { MaintainedLog } from '../../core/ports/log-driver.js';
import type { LogFollower, Presence, ReadPage, ReadRequest, StopFollowing } from '../../core/ports/log-entry.js';
import type { FindRequest, Found, StoredEntry } from '../../core/ports/stored-entry.js';
import { encodeForAppend } from '../shared/encode.js';
import { errorCode } from '../shared/error-code.js';
import { Follower, type Step } from '../shared/follower.js';
import { findLimit } from '../shared/found.js';
import { toRange } from '../shared/range.js';
import {
  assertRetention,
  BackgroundTrim,
  DEFAULT_RETENTION,
  type LogInfo,
  type Retention,
  type TrimResult,
} from '../shared/retention.js';
import { retryWhile } from '../shared/retry.js';
import { toUnavailable } from '../shared/unavailable.js';
import { isBusy } from './database/sqlite-database.js';
import type { SqliteStore } from './database/store.js';
import { Nudger } from './sockets/nudge.js';
import { SocketEphemeral } from './sockets/socket-ephemeral.js';
import { socketFolder } from './sockets/socket-folder.js';
import { SqliteWatch } from './sockets/watch.js';
import { SqliteAppender } from './sqlite-appender.js';
import { SqliteFile } from './sqlite-file.js';
import { SqliteKept } from './sqlite-kept.js';
import { WalKeeper } from './wal/wal.js';

export interface SqliteLogOptions extends LogOptions {
  /** The limits for stored events; processes that append apply them in the background. @default 1 GiB of payload */
  readonly retention?: Retention;
  /** The polling interval for appends of other processes whose nudge was lost, in milliseconds. @default 100 */
  readonly pollIntervalMs?: number;
  /** The time to wait for a lock that another process holds, in milliseconds. @default 5000 */
  readonly busyTimeoutMs?: number;
  /**
   * Receives failures in the background that lose no event: of a nudge, an ephemeral message, or a step of retention.
   * @default `process.emitWarning`
   */
  readonly onWarning?: (error: Error) => void;
}

export interface SqliteLog extends MaintainedLog {
  readonly ephemeral: Ephemeral;
}

const DEFAULT_BUSY_TIMEOUT_MS = 5_000;
const DEFAULT_POLL_INTERVAL_MS = 100;

/**
 * Opens the log in a SQLite file. It creates the file and its folder if there is none. Any number of processes on one
 * machine may have it open. Network file systems are not supported: SQLite's write-ahead log needs shared memory.
 *
 * @param path relative to the working directory
 * @throws PregonError CONFIG_INVALID if the file is not a log | LOG_UNAVAILABLE if it cannot be opened
 */
export async function openSqliteLog(path: string, options: SqliteLogOptions = {}): Promise<SqliteLog> {
  assertRetention(options.retention ?? {});
  assertMaxEventBytes(options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES);
  const file = new SqliteFile(resolve(path), options.exchanges);
  try {
    await retryWhile(isPassing, options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS, () => file.store());
    return new FileLog(`sqlite:${path}`, file, options);
  } catch (error) {
    throw toOpenError(error, path);
  }
}

/**
 * While another process creates the file, or closes one that was replaced, SQLite reports more errors than those about
 * locks.
 */
function isPassing(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL|IOERR|CANTOPEN)/.test(errorCode(error) ?? '');
}

function toOpenError(error: unknown, path: string): PregonError {
  if (error instanceof PregonError) return error;
  if (errorCode(error) === 'SQLITE_NOTADB') {
    return new PregonError('CONFIG_INVALID', `${path} is not a SQLite file`, { cause: error });
  }
  return toUnavailable(error);
}

/**
 * The file contains the events of all clients. This release creates it private, but an older release or another program
 * may not have.
 */
function warnIfReadable(path: string, warn: (error: Error) => void): void {
  const mode = statSync(path).mode & 0o777;
  const isReachable = (statSync(dirname(path)).mode & 0o001) !== 0;
  if (process.platform === 'win32' || (mode & 0o004) === 0 || !isReachable) return;
  const advice = 'remove the permissions of others: chmod o= FILE FILE-wal FILE-shm';
  warn(new Error(`every user of this machine can read the log ${path} (mode ${mode.toString(8)}); ${advice}`));
}

class FileLog implements SqliteLog {
  readonly name: string;
  readonly kept: SqliteKept;
  readonly #file: SqliteFile;
  readonly #maxEventBytes: number;
  readonly #pollIntervalMs: number;
  readonly #busyTimeoutMs: number;
  readonly #warn: (error: Error) => void;
  readonly #appender: SqliteAppender;
  readonly #trim: BackgroundTrim;
  readonly #wal: WalKeeper;
  readonly #folder: string;
  readonly #nudger: Nudger;
  readonly #ephemeral: SocketEphemeral;
  readonly #followers = new Set<Follower>();
  #watch: SqliteWatch | undefined;
  #closing: Promise<void> | undefined;

  constructor(name: string, file: SqliteFile, options: SqliteLogOptions) {
    this.name = name;
    this.#file = file;
    this.#maxEventBytes = options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES;
    this.#pollIntervalMs = options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS;
    this.#busyTimeoutMs = options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS;
    this.#warn = options.onWarning ?? ((error) => process.emitWarning(error));
    this.#appender = new SqliteAppender({
      store: (events) => this.#whenFree((store) => store.append(events)),
      onAppended: () => this.#appended(),
    });
    const retention = options.retention ?? DEFAULT_RETENTION;
    this.#trim = new BackgroundTrim(() => this.#whenFree((store) => store.trimStep(retention)), this.#warn);
    this.kept = new SqliteKept({
      use: (work) => this.#use((store) => work(store.kept)),
      rows: () => this.#file.store().kept,
      onChanged: () => this.#appended(),
      onFollowed: () => this.#watchWhileFollowed(),
    });
    const realPath = realpathSync(file.path);
    this.#wal = new WalKeeper(realPath, this.#warn);
    warnIfReadable(realPath, this.#warn);
    this.#folder = socketFolder(realPath, 'nudge');
    this.#nudger = new Nudger(this.#folder, this.#warn);
    this.#ephemeral = new SocketEphemeral(socketFolder(realPath, 'ephemeral'), this.#warn);
  }

  get ephemeral(): Ephemeral {
    return this.#ephemeral;
  }

  async append(events: readonly PregonEvent[]): Promise<LogPoint[]> {
    this.#assertOpen();
    return this.#appender.append(encodeForAppend(events, this.#maxEventBytes));
  }

  secret(): Promise<Uint8Array> {
    return this.#use(() => Buffer.from(this.#file.secret, 'base64url'));
  }

  async head(): Promise<LogPoint> {
    return this.#use((store) => store.head());
  }

  async floor(): Promise<LogPoint> {
    return this.#use((store) => store.floor());
  }

  async check(point: LogPoint): Promise<Presence> {
    return this.#use((store) => store.reader.check(point));
  }

  async read(request: ReadRequest): Promise<ReadPage> {
    const range = toRange(request);
    return this.#use((store) => store.page(range));
  }

  async detail(point: LogPoint): Promise<StoredEntry | undefined> {
    return this.#use((store) => store.finder.at(point));
  }

  async find(request: FindRequest): Promise<Found> {
    findLimit(request);
    return this.#use((store) => store.finder.find(request));
  }

  async locate(sequence: number, source: string | undefined): Promise<LogPoint | undefined> {
    return this.#use((store) => store.locate(sequence, source));
  }

  async info(): Promise<LogInfo> {
    return this.#use((store) => ({ ...store.info(), fileBytes: this.#file.size() }));
  }

  async trim(limits: Retention): Promise<TrimResult> {
    assertRetention(limits);
    let dropped = 0;
    for (;;) {
      const step = await this.#use((store) => store.trimStep(limits));
      if (step === 0) return { dropped, floor: await this.floor() };
      dropped += step;
      await turn();
    }
  }

  follow(after: LogPoint, target: LogFollower): StopFollowing {
    this.#assertOpen();
    const follower = new Follower(after, target, (cursor) => step(this.#file.store(), cursor));
    this.#followers.add(follower);
    void this.#watchWhileFollowed();
    return async () => {
      follower.stop();
      this.#followers.delete(follower);
      await this.#watchWhileFollowed();
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const follower of this.#followers) follower.stop();
    this.#followers.clear();
    this.kept.close();
    await this.#appender.idle();
    await this.#trim.stop();
    await this.#wal.stop();
    await this.#stopWatch();
    this.#nudger.close();
    await this.#ephemeral.close();
    try {
      await this.#file.close();
    } catch (cause) {
      this.#warn(
        new Error('the write-ahead log could not be emptied; the next process that opens the log reads it', { cause }),
      );
    }
  }

  #appended(): void {
    this.#wake();
    this.#nudger.nudge(this.#watch?.socket);
    this.#trim.appended();
    this.#wal.committed();
  }

  #wake(): void {
    for (const follower of this.#followers) follower.wake();
    this.kept.wake();
  }

  async #watchWhileFollowed(): Promise<void> {
    if (this.#closing) return;
    if (this.#followers.size > 0 || this.kept.isFollowed) this.#watch ??= this.#startWatch();
    else await this.#stopWatch();
  }

  #startWatch(): SqliteWatch {
    return new SqliteWatch({
      folder: this.#folder,
      pollIntervalMs: this.#pollIntervalMs,
      changed: () => this.#file.changed(),
      onChange: () => {
        this.#wake();
        this.#trim.appended();
        this.#wal.committed();
      },
      onWarning: this.#warn,
    });
  }

  async #stopWatch(): Promise<void> {
    const watch = this.#watch;
    this.#watch = undefined;
    await watch?.close();
  }

  async #use<Result>(work: (store: SqliteStore) => Result): Promise<Result> {
    this.#assertOpen();
    try {
      return await this.#whenFree(work);
    } catch (error) {
      throw toUnavailable(error);
    }
  }

  #whenFree<Result>(work: (store: SqliteStore) => Result): Promise<Result> {
    return retryWhile(isBusy, this.#busyTimeoutMs, () => work(this.#file.store()));
  }

  #assertOpen(): void {
    if (this.#closing) throw new PregonError('LOG_CLOSED', 'the log is closed');
  }
}

/** Reads before it checks: the page is valid if the point before it is still present afterwards. */
function step(store: SqliteStore, after: LogPoint): Step {
  try {
    const page = store.following(after, toRange({ after: after.offset }));
    if (store.reader.check(after) !== 'present') return { kind: 'replaced', head: store.head() };
    return { kind: 'page', page, atHead: page.complete };
  } catch (error) {
    throw toUnavailable(error);
  }
}
