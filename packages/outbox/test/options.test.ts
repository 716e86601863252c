import { describe, expect, it } from 'vitest';
import { createOutbox, createPostgresOutbox, createSqliteOutbox, sql } from '../src/index.js';

const noDatabase = { prepare: () => ({ run: () => ({ lastInsertRowid: 1 }), all: () => [] }), exec: () => {} };
const log = { append: () => Promise.resolve() };

describe('createSqliteOutbox', () => {
  it('is also exported under its former name', () => {
    expect(createOutbox).toBe(createSqliteOutbox);
  });

  it('refuses invalid options', () => {
    expect(() => createSqliteOutbox({ source: '' })).toThrow(TypeError);
    expect(() => createSqliteOutbox({ source: '/a', maxEventBytes: 0 })).toThrow(RangeError);
    for (const table of ['', 'a b', 'a;--', '1a', 'sqlite_x', 'x'.repeat(64)]) {
      expect(() => createSqliteOutbox({ source: '/a', table }), table).toThrow(TypeError);
    }
  });

  it('refuses an answerTimeoutMs that PostgreSQL cannot apply', () => {
    for (const answerTimeoutMs of [0, 99, 3_600_001, Number.NaN]) {
      expect(() => createPostgresOutbox({ source: '/a', answerTimeoutMs }), `${answerTimeoutMs}`).toThrow(RangeError);
    }
    expect(createPostgresOutbox({ source: '/a', answerTimeoutMs: 100 }).source).toBe('/a');
  });

  it('refuses a relay with invalid options', () => {
    const outbox = createSqliteOutbox({ source: '/a' });
    const bad = [
      { batchSize: 0 },
      { batchSize: 1.5 },
      { pollIntervalMs: 0 },
      { pollIntervalMs: Number.NaN },
      { pollIntervalMs: 2 ** 31 },
    ];
    for (const options of bad) expect(() => outbox.relay({ db: noDatabase, log, ...options })).toThrow(RangeError);
    expect(() => Reflect.apply(outbox.relay, outbox, [{ db: noDatabase, log: {} }])).toThrow(TypeError);
  });
});

describe('createPostgresOutbox', () => {
  const pool = {
    query: () => Promise.resolve({ rows: [] }),
    connect: () => {},
    totalCount: 0,
  };

  it('refuses invalid options', () => {
    expect(() => createPostgresOutbox({ source: '' })).toThrow(TypeError);
    expect(() => createPostgresOutbox({ source: '/a', maxEventBytes: 0 })).toThrow(RangeError);
    // The last name leaves no room for the suffixes of the other tables.
    for (const table of ['', 'a b', 'a;--', '1a', 'a.b.c', '.a', 'x'.repeat(55)]) {
      expect(() => createPostgresOutbox({ source: '/a', table }), table).toThrow(TypeError);
    }
    expect(createPostgresOutbox({ source: '/a', table: 'app.outbox' }).table).toBe('app.outbox');
  });

  it('refuses a relay with invalid options', () => {
    const { relay } = createPostgresOutbox({ source: '/a' });
    for (const options of [{ leaseMs: 0 }, { leaseMs: Number.NaN }, { batchSize: 0 }, { pollIntervalMs: 0 }]) {
      expect(() => Reflect.apply(relay, undefined, [{ db: pool, log, ...options }])).toThrow(RangeError);
    }
    // A single client does not reconnect when its connection ends.
    for (const db of [undefined, {}, { query: pool.query }]) {
      expect(() => Reflect.apply(relay, undefined, [{ db, log }])).toThrow(/not a Pool of pg/);
    }
  });
});

describe('sql', () => {
  it('returns the migration as text, for the given table', () => {
    expect(sql('sqlite')).toMatch(/^CREATE TABLE IF NOT EXISTS pregon_outbox \(/);
    expect(sql('sqlite', 'news')).toMatch(/AUTOINCREMENT/);
    expect(sql('postgres', 'app.news')).toMatch(/CREATE TABLE IF NOT EXISTS app\.news_numbered \(/);
  });

  it('refuses an unknown dialect or an invalid table name', () => {
    expect(() => Reflect.apply(sql, undefined, ['oracle'])).toThrow(/oracle/);
    expect(() => sql('sqlite', 'a b')).toThrow(TypeError);
    expect(() => sql('postgres', 'a b')).toThrow(TypeError);
  });
});
