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

/** One opened state of the path: the connection, and how to tell that the path names another file by now. */
interface Opened {
  readonly database: Database;
  readonly store: SqliteStore;
  readonly secret: string;
  readonly dataVersion: Statement;
  readonly main: Stats;
  readonly beside: readonly Beside[];
  version: number | undefined;
}

/** A file that SQLite keeps beside the database: `-wal`, `-shm`. */
interface Beside {
  readonly path: string;
  readonly ino: number | undefined;
}

/**
 * A path that names a log's file, opened anew when another file stands there: one that was moved there, a new one after a deletion or
 * a truncation to nothing. Each access looks (2 µs), so that nothing is written to, or read from, a file that is gone.
 *
 * A file that is overwritten in place by another one is not noticed before SQLite stumbles over it: move a backup into place, or
 * stop all that have the log open.
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
   * The store at the path, which is created where there is none.
   *
   * @throws PregonError CONFIG_INVALID | LOG_CLOSED, or the driver's error
   */
  store(): SqliteStore {
    // A call that waits for a lock while the log is closed must not open it again.
    if (this.#closed) throw new PregonError('LOG_CLOSED', 'the log is closed');
    const now = statSync(this.path, { throwIfNoEntry: false });
    const opened = this.#opened;
    if (opened && now && isSame(opened, now)) return opened.store;
    if (opened) this.#abandon(opened, now);
    this.#opened = this.#open();
    return this.#opened.store;
  }

  /** See {@link readSecret}: that of the file which is open, so {@link SqliteFile.store} comes first. */
  get secret(): string {
    if (!this.#opened) throw new PregonError('LOG_CLOSED', 'the log is closed');
    return this.#opened.secret;
  }

  /** Whether something was committed by another connection, or another file stands here, since the last call. */
  changed(): boolean {
    const store = this.store();
    const opened = this.#opened;
    if (!opened || opened.store !== store) return true;
    const version = numberIn(opened.dataVersion.get([]), 'data_version');
    const changed = version !== opened.version;
    opened.version = version;
    return changed;
  }

  /** Bytes on disk. */
  size(): number {
    return ['', '-wal', '-shm'].reduce((sum, suffix) => {
      return sum + (statSync(this.path + suffix, { throwIfNoEntry: false })?.size ?? 0);
    }, 0);
  }

  /** @throws the driver's error where the write-ahead log cannot be emptied; all is closed, and nothing lost, all the same */
  async close(): Promise<void> {
    this.#closed = true;
    if (!this.#opened) return;
    try {
      this.#leave(this.#opened);
    } finally {
      await releaseStatements();
    }
  }

  /** Not in `close`, whose variables would keep the statements from being collected while it waits for just that. */
  #leave(opened: Opened): void {
    const now = statSync(this.path, { throwIfNoEntry: false });
    if (!now || !isSame(opened, now)) return this.#abandon(opened, now);
    this.#opened = undefined;
    try {
      // Leaves an empty write-ahead log, unless others still read it: they will do it then.
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
   * Leaves a file that is no longer the log. What SQLite kept beside it belongs to nobody now; a new file must not be read
   * through it. An emptied file goes as well: only a new inode makes all other processes look again.
   */
  #abandon(opened: Opened, now: Stats | undefined): void {
    this.#opened = undefined;
    const inPlace = now !== undefined && now.ino === opened.main.ino && now.dev === opened.main.dev;
    for (const { path, ino } of opened.beside) {
      if (ino === undefined || inode(path) !== ino) continue;
      // Emptied first, so that a connection which still has it cannot write its pages into a file that is gone.
      if (inPlace && path.endsWith('-wal')) truncateSync(path);
      rmSync(path, { force: true });
    }
    if (inPlace) rmSync(this.path, { force: true });
    opened.database.close();
  }
}

/** SQLite would say `unable to open database file`, and be tried again for seconds. */
function assertNoFolder(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new PregonError('CONFIG_INVALID', `${path} is a folder: name the file in it`);
}

/**
 * Creates a file that only its owner can read. SQLite gives `-wal` and `-shm` the mode of the file. One that exists keeps its mode, since
 * relay and gateway may be two users of a group.
 */
function createPrivate(path: string): void {
  if (existsSync(path)) return;
  closeSync(openSync(path, constants.O_CREAT | constants.O_RDWR, 0o600));
}

/** A file that became smaller is still the same: VACUUM does that. One that was emptied is not. */
function isSame({ main }: Opened, now: Stats): boolean {
  return now.ino === main.ino && now.dev === main.dev && now.size > 0;
}

function inode(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** 53 random bits: no two logs share a birth. */
function newBirth(): number {
  const bytes = randomBytes(7);
  return bytes.readUIntBE(0, 6) * 32 + (bytes.readUInt8(6) & 31);
}
