import type { LogPoint } from '@pregon/protocol';
import { encodeAttributes } from '../../shared/attributes.js';
import type { EncodedEvent } from '../../shared/encode.js';
import { isSameEvent, ReusedId } from '../../shared/same-event.js';
import type { SqliteNames } from './names.js';
import { assertMarkRow, type MarkRow, textIn } from './rows.js';
import type { Database, SqlValue, Statement } from './sqlite-database.js';

/** A call of the driver costs as much as a row, so rows are inserted in chunks. */
const CHUNK = 16;
const COLUMNS = 'offset, fingerprint, bytes, time, exchange, type, source, sequence, topic, id, payload, attributes';
const ROW = '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';

/** The last entry of the log while a transaction appends to it. */
interface Tail {
  offset: number;
  bytes: number;
  readonly time: number;
}

/** Appends entries to the file of one connection. */
export class SqliteWriter {
  readonly #database: Database;
  readonly #names: SqliteNames;
  readonly #sources: SqliteNames;
  readonly #insertOne: Statement;
  readonly #insertChunk: Statement;
  readonly #undo: Statement;
  readonly #firstOf: Statement;
  readonly #payloadAt: Statement;

  constructor(database: Database, names: SqliteNames, sources: SqliteNames) {
    this.#database = database;
    this.#names = names;
    this.#sources = sources;
    const insert = (rows: number): Statement =>
      database.prepare(
        `INSERT INTO entry (${COLUMNS})
         VALUES ${Array(rows).fill(ROW).join(', ')} ON CONFLICT (source, id) DO NOTHING`,
      );
    this.#insertOne = insert(1);
    this.#insertChunk = insert(CHUNK);
    this.#undo = database.prepare('DELETE FROM entry WHERE offset > ?');
    this.#firstOf = database.prepare('SELECT offset, fingerprint, bytes, time FROM entry WHERE source = ? AND id = ?');
    this.#payloadAt = database.prepare('SELECT CAST(payload AS TEXT) AS payload FROM entry WHERE offset = ?');
  }

  /**
   * Adds events in one transaction: all of them, or none if it throws.
   *
   * @throws ReusedId, or the driver's error
   */
  append(events: readonly EncodedEvent[], lastMark: () => MarkRow, now: number): LogPoint[] {
    try {
      return this.#database.transaction(() => {
        const last = lastMark();
        // A clock that was set back must not make an entry look older than the previous one: retention by age drops a
        // prefix.
        const tail: Tail = { offset: last.offset, bytes: last.bytes, time: Math.max(now, last.time) };
        const points: LogPoint[] = [];
        for (let from = 0; from < events.length; from += CHUNK) {
          this.#addChunk(events.slice(from, from + CHUNK), tail, points);
        }
        return points;
      });
    } catch (error) {
      this.#names.forget();
      this.#sources.forget();
      throw error;
    }
  }

  #addChunk(events: readonly EncodedEvent[], tail: Tail, points: LogPoint[]): void {
    if (events.length === CHUNK && this.#addAllNew(events, tail, points)) return;
    for (const event of events) this.#addOne(event, tail, points);
  }

  /**
   * Inserts a chunk of new events, the common case, in one statement. Returns false if an event was already stored;
   * then nothing was added.
   */
  #addAllNew(events: readonly EncodedEvent[], tail: Tail, points: LogPoint[]): boolean {
    const before = { ...tail };
    const values: SqlValue[] = [];
    for (const event of events) this.#pushRow(values, event, tail);
    if (this.#insertChunk.run(values) === events.length) {
      events.forEach((event, index) => {
        points.push({ offset: before.offset + index + 1, fingerprint: event.fingerprint });
      });
      return true;
    }
    this.#undo.run([before.offset]);
    Object.assign(tail, before);
    return false;
  }

  #addOne(event: EncodedEvent, tail: Tail, points: LogPoint[]): void {
    const before = { ...tail };
    const values: SqlValue[] = [];
    this.#pushRow(values, event, tail);
    if (this.#insertOne.run(values) === 1) {
      points.push({ offset: tail.offset, fingerprint: event.fingerprint });
      return;
    }
    Object.assign(tail, before);
    const first = this.#firstOf.get([this.#sources.intern(event.source), JSON.stringify(event.id)]);
    assertMarkRow(first);
    if (first.fingerprint !== event.fingerprint && !this.#isSame(event, first)) throw new ReusedId(event);
    points.push({ offset: first.offset, fingerprint: first.fingerprint });
  }

  #isSame(event: EncodedEvent, { offset }: MarkRow): boolean {
    return isSameEvent(event.payload, Buffer.from(textIn(this.#payloadAt.get([offset]), 'payload')));
  }

  #pushRow(values: SqlValue[], event: EncodedEvent, tail: Tail): void {
    tail.offset += 1;
    tail.bytes += event.payload.length;
    values.push(
      tail.offset,
      event.fingerprint,
      tail.bytes,
      tail.time,
      this.#names.intern(event.exchange),
      this.#names.intern(event.type),
      this.#sources.intern(event.source),
      event.sequence ?? null,
      event.topic,
      JSON.stringify(event.id),
      event.payload,
      encodeAttributes(event.attributes),
    );
  }
}
