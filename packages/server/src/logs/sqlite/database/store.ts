import type { LogPoint } from '@pregon/protocol';
import type { ReadPage } from '../../../core/ports/log-entry.js';
import type { EncodedEvent } from '../../shared/encode.js';
import type { Range } from '../../shared/range.js';
import type { LogInfo, LogMark, Retention } from '../../shared/retention.js';
import { SqliteEntries } from './entries.js';
import { SqliteFinder } from './finder.js';
import { SqliteKeptRows } from './kept.js';
import { SqliteLocator } from './locator.js';
import { SqliteNames } from './names.js';
import { SqliteReader, toPoint } from './reader.js';
import type { MarkRow } from './rows.js';
import type { Database } from './sqlite-database.js';
import { SqliteTrimmer } from './trimmer.js';
import { SqliteWriter } from './writer.js';

/** All operations on one open file, with every statement prepared once. Synchronous; throws the driver's errors. */
export class SqliteStore {
  readonly reader: SqliteReader;
  readonly finder: SqliteFinder;
  readonly kept: SqliteKeptRows;
  readonly #writer: SqliteWriter;
  readonly #locator: SqliteLocator;
  readonly #trimmer: SqliteTrimmer;

  constructor(database: Database, exchanges: readonly string[] | undefined) {
    const names = new SqliteNames(database, 'name');
    const sources = new SqliteNames(database, 'source');
    const entries = new SqliteEntries(names, sources);
    this.reader = new SqliteReader(database, names, entries, exchanges);
    this.kept = new SqliteKeptRows(database);
    this.finder = new SqliteFinder(database, entries, exchanges);
    this.#writer = new SqliteWriter(database, names, sources);
    this.#locator = new SqliteLocator(database, sources);
    this.#trimmer = new SqliteTrimmer(database);
  }

  append(events: readonly EncodedEvent[]): LogPoint[] {
    return this.#writer.append(events, () => this.reader.last(), Date.now());
  }

  head(): LogPoint {
    return toPoint(this.reader.last());
  }

  floor(): LogPoint {
    return toPoint(this.reader.floor());
  }

  page(range: Range): ReadPage {
    return this.reader.page(range);
  }

  following(after: LogPoint, limits: Pick<Range, 'maxCount' | 'maxBytes'>): ReadPage {
    return this.reader.following(after, limits);
  }

  locate(sequence: number, source: string | undefined): LogPoint | undefined {
    return this.#locator.locate(sequence, source, this.floor());
  }

  /** Drops a few entries that are beyond the limits. @returns the number of dropped entries */
  trimStep(limits: Retention): number {
    return this.#trimmer.step(
      limits,
      () => this.reader.last(),
      () => this.reader.floor(),
      Date.now(),
    );
  }

  info(): Omit<LogInfo, 'fileBytes'> {
    const floor = this.reader.floor();
    const last = this.reader.last();
    const first = this.reader.first();
    return {
      count: last.offset - floor.offset,
      bytes: last.bytes - floor.bytes,
      floor: toPoint(floor),
      first: first && toMark(first),
      last: first && toMark(last),
    };
  }
}

function toMark(row: MarkRow): LogMark {
  return { point: toPoint(row), time: row.time };
}
