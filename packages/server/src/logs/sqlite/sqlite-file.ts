import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
  truncateSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { PregonError } from '@pregon/protocol';
import { numberIn } from './database/rows.js';
import { prepareSchema } from './database/schema.js';
import { readSecret } from './database/secret.js';
import { Database, isBusy, releaseStatements, type Statement } from './database/sqlite-database.js';
import { SqliteStore } from './database/store.js';

/** An open connection to the path, with the data that shows when the path names another file. */
interface Opened {
  readonly database: Database;
  readonly store: SqliteStore;
  readonly secret: string;
  readonly dataVersion: Statement;
  readonly main: Stats;
  readonly beside: readonly Beside[];
  version: number | undefined;
}

/** A file that SQLite keeps next to the database: `-wal` or `-shm`. */
interface Beside {
  readonly path: string;
  readonly ino: number | undefined;
}

/**
 * The file of a log at a path. It is reopened if another file takes its place: a file that was moved there, or a new
 * one after a deletion or a truncation to nothing. Each access checks this (2 µs), so that no call reads or writes a
 * file that is gone.
 *
 * If another file overwrites this one in place, the change goes unnoticed until SQLite fails. To restore a backup, move
 * it into place, or stop all processes that have the log open.
 */
export class SqliteFile {
  readonly path: string;
  readonly #exchanges: readonly string[] | undefined;
  #opened: Opened | undefined;
  #closed = false;

  constructor(path: string, exchanges: readonly string[] | undefined) {
    this.path = path;
    this.#exchanges = exchanges;
  }

  /**
   * Returns the store at the path, and creates the file if there is none.
   *
   * @throws PregonError CONFIG_INVALID | LOG_CLOSED, or the driver's error
   */
  store(): SqliteStore {
    // A call that waits for a lock while the log is closed must not reopen it.
    if (this.#closed) throw new PregonError('LOG_CLOSED', 'the log is closed');
    const now = statSync(this.path, { throwIfNoEntry: false });
    const opened = this.#opened;
    if (opened && now && isSame(opened, now)) return opened.store;
    if (opened) this.#abandon(opened, now);
    this.#opened = this.#open();
    return this.#opened.store;
  }

  /** The secret of the open file, see {@link readSecret}; call {@link SqliteFile.store} first. */
  get secret(): string {
    if (!this.#opened) throw new PregonError('LOG_CLOSED', 'the log is closed');
    return this.#opened.secret;
  }

  /** Tells whether, since the last call, another connection has committed or another file has taken this place. */
  changed(): boolean {
    const store = this.store();
    const opened = this.#opened;
    if (!opened || opened.store !== store) return true;
    const version = numberIn(opened.dataVersion.get([]), 'data_version');
    const changed = version !== opened.version;
    opened.version = version;
    return changed;
  }

  /** Returns the number of bytes on disk. */
  size(): number {
    return ['', '-wal', '-shm'].reduce((sum, suffix) => {
      return sum + (statSync(this.path + suffix, { throwIfNoEntry: false })?.size ?? 0);
    }, 0);
  }

  /**
   * @throws the driver's error if the write-ahead log cannot be emptied; even then everything is closed and nothing is
   * lost
   */
  async close(): Promise<void> {
    this.#closed = true;
    if (!this.#opened) return;
    try {
      this.#leave(this.#opened);
    } finally {
      await releaseStatements();
    }
  }

  /**
   * Separate from `close`, because local variables of `close` would keep the statements alive while it waits for their
   * collection.
   */
  #leave(opened: Opened): void {
    const now = statSync(this.path, { throwIfNoEntry: false });
    if (!now || !isSame(opened, now)) return this.#abandon(opened, now);
    this.#opened = undefined;
    try {
      // Leaves an empty write-ahead log, unless other connections still read it: the last one to close will empty it.
      opened.database.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      if (!isBusy(error)) throw error;
    } finally {
      opened.database.close();
    }
  }

  #open(): Opened {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    assertNoFolder(this.path);
    createPrivate(this.path);
    const database = new Database(this.path);
    try {
      prepareSchema(database, this.path, newBirth());
      const store = new SqliteStore(database, this.#exchanges);
      store.head();
      const secret = readSecret(database);
      const main = statSync(this.path);
      const real = realpathSync(this.path);
      const dataVersion = database.prepare('PRAGMA data_version');
      const beside = ['-wal', '-shm'].map((suffix) => ({ path: real + suffix, ino: inode(real + suffix) }));
      return { database, store, secret, dataVersion, main, beside, version: undefined };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /**
   * Closes a file that is no longer the log. The files that SQLite kept next to it have no owner now, and SQLite must
   * not apply them to a new file. An emptied main file is removed as well: only a new inode makes all other processes
   * notice.
   */
  #abandon(opened: Opened, now: Stats | undefined): void {
    this.#opened = undefined;
    const inPlace = now !== undefined && now.ino === opened.main.ino && now.dev === opened.main.dev;
    for (const { path, ino } of opened.beside) {
      if (ino === undefined || inode(path) !== ino) continue;
      // Truncates it first, so that a connection that still has it open cannot write its pages into a removed file.
      if (inPlace && path.endsWith('-wal')) truncateSync(path);
      rmSync(path, { force: true });
    }
    if (inPlace) rmSync(this.path, { force: true });
    opened.database.close();
  }
}

/** Without this check, SQLite would report `unable to open database file`, which is retried for seconds. */
function assertNoFolder(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new PregonError('CONFIG_INVALID', `${path} is a folder: name the file in it`);
}

/**
 * Creates a file that only its owner can read. SQLite gives `-wal` and `-shm` the mode of the file. An existing file
 * keeps its mode, because relay and gateway may run as two users of one group.
 */
function createPrivate(path: string): void {
  if (existsSync(path)) return;
  closeSync(openSync(path, constants.O_CREAT | constants.O_RDWR, 0o600));
}

/** A file that became smaller is still the same, because VACUUM shrinks files. A file that was emptied is not. */
function isSame({ main }: Opened, now: Stats): boolean {
  return now.ino === main.ino && now.dev === main.dev && now.size > 0;
}

function inode(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** 53 random bits, so that no two logs share a birth. */
function newBirth(): number {
  const bytes = randomBytes(7);
  return bytes.readUIntBE(0, 6) * 32 + (bytes.readUInt8(6) & 31);
}
