import type { LogPoint } from '@pregon/protocol';
import type { LogEntry, Presence, ReadPage } from '../../../core/ports/log-entry.js';
import type { Range } from '../../shared/range.js';
import type { SqliteEntries } from './entries.js';
import type { SqliteNames } from './names.js';
import {
  assertMarkRow,
  columns,
  ENTRY_COLUMNS,
  type MarkRow,
  numberIn,
  PLACE_COLUMNS,
  toFollowingRow,
} from './rows.js';
import type { Database, SqlValue, Statement } from './sqlite-database.js';

const MARK = 'offset, fingerprint, bytes, time';

/** Skipping entries of other exchanges is cheap: a window may hold this many times the entries of a page. */
const WINDOW_FACTOR = 4;
/** The maximum number of windows that one read searches for a first entry: a few milliseconds of work. */
const MAX_WINDOWS = 4;

/** The floor as a mark. Its time is unknown and set to 0, so that no entry is older. */
interface Floor extends MarkRow {
  readonly birth: number;
}

/** Reads entries and points from the file of one connection. */
export class SqliteReader {
  readonly #names: SqliteNames;
  readonly #made: SqliteEntries;
  readonly #exchanges: readonly string[] | undefined;
  /** The exchanges in the form in which {@link SqliteNames} stores them. */
  readonly #exchangeTexts: readonly string[];
  readonly #page: (values: readonly SqlValue[]) => unknown[];
  readonly #following: (values: readonly SqlValue[]) => unknown[];
  readonly #start: Statement;
  readonly #firstBeyond: Statement;
  readonly #atOrBefore: Statement;
  readonly #fingerprintAt: Statement;
  readonly #first: Statement;
  readonly #floor: Statement;

  constructor(database: Database, names: SqliteNames, made: SqliteEntries, exchanges: readonly string[] | undefined) {
    this.#names = names;
    this.#made = made;
    this.#exchanges = exchanges;
    this.#exchangeTexts = exchanges?.map((exchange) => JSON.stringify(exchange)) ?? [];
    const filter = exchanges ? `AND exchange IN (${exchanges.map(() => '?').join(', ')})` : '';
    this.#page = database.prepareRows(
      `SELECT ${ENTRY_COLUMNS} FROM entry
       WHERE offset > ? AND offset <= ? AND bytes - length(payload) < ? ${filter} ORDER BY offset LIMIT ?`,
    );
    // The statement filters by name, because an exchange can get its first event, and with it its number, at any time.
    const wanted = exchanges
      ? `exchange IN (SELECT id FROM name WHERE text IN (${exchanges.map(() => '?').join(', ')}))`
      : 'true';
    this.#following = database.prepareRows(
      `SELECT ${PLACE_COLUMNS}, CASE WHEN ${wanted} THEN CAST(payload AS TEXT) END, bytes - length(payload), bytes FROM entry
       WHERE offset > ? AND offset <= ifnull((SELECT offset FROM entry WHERE offset > ? ORDER BY offset LIMIT 1 OFFSET ?), ?)
         AND bytes - length(payload) < ? + (SELECT bytes - length(payload) FROM entry WHERE offset > ? ORDER BY offset LIMIT 1)
       ORDER BY offset`,
    );
    this.#start = database.prepare(
      'SELECT offset, bytes - length(payload) AS bytes FROM entry WHERE offset > ? AND offset <= ? ORDER BY offset LIMIT 1',
    );
    this.#firstBeyond = database.prepare(
      `SELECT offset FROM entry
       WHERE offset > ? AND offset <= ? AND bytes - length(payload) >= ? ORDER BY offset LIMIT 1`,
    );
    this.#atOrBefore = database.prepare(`SELECT ${MARK} FROM entry WHERE offset <= ? ORDER BY offset DESC LIMIT 1`);
    this.#fingerprintAt = database.prepare('SELECT fingerprint FROM entry WHERE offset = ?');
    this.#first = database.prepare(`SELECT ${MARK} FROM entry ORDER BY offset LIMIT 1`);
    this.#floor = database.prepare('SELECT birth, floor_offset, floor_fingerprint, floor_bytes FROM log');
  }

  floor(): Floor {
    const row = this.#floor.get([]);
    return {
      offset: numberIn(row, 'floor_offset'),
      fingerprint: numberIn(row, 'floor_fingerprint'),
      bytes: numberIn(row, 'floor_bytes'),
      time: 0,
      birth: numberIn(row, 'birth'),
    };
  }

  first(): MarkRow | undefined {
    const row = this.#first.get([]);
    if (row === undefined) return undefined;
    assertMarkRow(row);
    return row;
  }

  /** Returns the last entry with an offset of at most `offset`; if there is none, the floor. */
  markAtOrBefore(offset: number): MarkRow {
    const row = this.#atOrBefore.get([offset]);
    if (row === undefined) return this.floor();
    assertMarkRow(row);
    return row;
  }

  last(): MarkRow {
    return this.markAtOrBefore(Number.MAX_SAFE_INTEGER);
  }

  /**
   * Searches for the entry before it reads the floor: if the entry is dropped in between, the result is `truncated`,
   * not `replaced`.
   */
  check(point: LogPoint): Presence {
    const row = this.#fingerprintAt.get([point.offset]);
    if (row !== undefined) return columns(row)['fingerprint'] === point.fingerprint ? 'present' : 'replaced';
    const floor = this.floor();
    if (point.offset === floor.offset) return point.fingerprint === floor.fingerprint ? 'present' : 'replaced';
    if (point.offset > floor.offset) return 'replaced';
    return point.offset === 0 && point.fingerprint !== floor.birth ? 'replaced' : 'truncated';
  }

  /**
   * Reads what comes after a point, up to the head, in one statement: a follower calls it after each append.
   *
   * @throws RowError
   */
  following(after: LogPoint, { maxCount, maxBytes }: Pick<Range, 'maxCount' | 'maxBytes'>): ReadPage {
    const { offset } = after;
    // The window needs an upper bound among the offsets: otherwise each page of many bytes would scan all entries after
    // it.
    const window = [offset, offset, maxCount - 1, Number.MAX_SAFE_INTEGER];
    const rows = this.#following([...this.#exchangeTexts, ...window, maxBytes, offset]);
    if (rows.length === 0) return { entries: [], through: toPoint(after), complete: true };
    const entries: LogEntry[] = [];
    for (const row of rows) if (toFollowingRow(row).isWanted) entries.push(this.#made.toEntry(row));
    const first = toFollowingRow(rows[0]);
    const last = toFollowingRow(rows.at(-1));
    // The page ends before the head only if a limit cut it.
    const complete = rows.length < maxCount && last.end < first.start + maxBytes;
    return { entries, through: toPoint(last), complete };
  }

  page(range: Range): ReadPage {
    let after = range.after;
    for (let windows = 1; ; windows++) {
      const page = this.#window({ ...range, after });
      if (page.entries.length > 0 || page.complete || windows === MAX_WINDOWS) return page;
      after = page.through.offset;
    }
  }

  /**
   * Each statement sees its own snapshot, and other processes append in between. The end of the page must therefore be
   * read before, or together with, the entries up to it.
   */
  #window({ after, through, maxCount, maxBytes }: Range): ReadPage {
    const start = this.#start.get([after, through]);
    if (start === undefined) {
      return { entries: [], through: toPoint(this.markAtOrBefore(Math.min(after, through))), complete: true };
    }
    const bytesEnd = numberIn(start, 'bytes') + maxBytes;
    const rows = this.#exchanges ? maxCount * WINDOW_FACTOR : maxCount;
    const windowEnd = Math.min(through, numberIn(start, 'offset') + rows - 1);
    const end = this.#endOfWindow(after, windowEnd, bytesEnd);
    const entries = this.#entries(after, end.offset, bytesEnd, maxCount);
    const last = entries.at(-1);
    if (last && (entries.length === maxCount || !this.#exchanges))
      return { entries, through: toPoint(last), complete: false };
    return { entries, through: toPoint(end), complete: false };
  }

  /**
   * Searches forward from the start of the page, only past entries of the page: a window may hold many times as many.
   */
  #endOfWindow(after: number, windowEnd: number, bytesEnd: number): MarkRow {
    const last = this.markAtOrBefore(windowEnd);
    const beyond = this.#firstBeyond.get([after, last.offset, bytesEnd]);
    return beyond === undefined ? last : this.markAtOrBefore(numberIn(beyond, 'offset') - 1);
  }

  #entries(after: number, through: number, bytesEnd: number, maxCount: number): LogEntry[] {
    // A name that no entry has used yet has no number; -1 matches no entry.
    const exchanges = this.#exchanges?.map((exchange) => this.#names.find(exchange) ?? -1) ?? [];
    return this.#page([after, through, bytesEnd, ...exchanges, maxCount]).map((row) => this.#made.toEntry(row));
  }
}

export function toPoint(mark: LogPoint): LogPoint {
  return { offset: mark.offset, fingerprint: mark.fingerprint };
}
