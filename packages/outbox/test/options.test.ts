import { describe, expect, it } from 'vitest';
import { createOutbox, createPostgresOutbox, createSqliteOutbox, sql } from '../src/index.js';

const noDatabase = { prepare: () => ({ run: () => ({ lastInsertRowid: 1 }), all: () => [] }), exec: () => {} };
const log = { append: () => Promise.resolve() };

describe('createSqliteOutbox', () => {
  it('has its former name, too', () => {
    expect(createOutbox).toBe(createSqliteOutbox);
  });

  it('refuses options that cannot be', () => {
    expect(() => createSqliteOutbox({ source: '' })).toThrow(TypeError);
    expect(() => createSqliteOutbox({ source: '/a', maxEventBytes: 0 })).toThrow(RangeError);
    for (const table of ['', 'a b', 'a;--', '1a', 'sqlite_x', 'x'.repeat(64)]) {
      expect(() => createSqliteOutbox({ source: '/a', table }), table).toThrow(TypeError);
    }
  });

  it('refuses a time that PostgreSQL cannot keep', () => {
    for (const answerTimeoutMs of [0, 99, 3_600_001, Number.NaN]) {
      expect(() => createPostgresOutbox({ source: '/a', answerTimeoutMs }), `${answerTimeoutMs}`).toThrow(RangeError);
    }
    expect(createPostgresOutbox({ source: '/a', answerTimeoutMs: 100 }).source).toBe('/a');
  });

  it('refuses a relay with options that cannot be', () => {
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

  it('refuses options that cannot be', () => {
    expect(() => createPostgresOutbox({ source: '' })).toThrow(TypeError);
    expect(() => createPostgresOutbox({ source: '/a', maxEventBytes: 0 })).toThrow(RangeError);
    // The last one leaves no room for what is added to make the names of its other tables.
    for (const table of ['', 'a b', 'a;--', '1a', 'a.b.c', '.a', 'x'.repeat(55)]) {
      expect(() => createPostgresOutbox({ source: '/a', table }), table).toThrow(TypeError);
    }
    expect(createPostgresOutbox({ source: '/a', table: 'app.outbox' }).table).toBe('app.outbox');
  });

  it('refuses a relay with options that cannot be', () => {
    const { relay } = createPostgresOutbox({ source: '/a' });
    for (const options of [{ leaseMs: 0 }, { leaseMs: Number.NaN }, { batchSize: 0 }, { pollIntervalMs: 0 }]) {
      expect(() => Reflect.apply(relay, undefined, [{ db: pool, log, ...options }])).toThrow(RangeError);
    }
    // A client, which does not come back when its connection ends.
    for (const db of [undefined, {}, { query: pool.query }]) {
      expect(() => Reflect.apply(relay, undefined, [{ db, log }])).toThrow(/not a Pool of pg/);
    }
  });
});

describe('sql', () => {
  it('is the migration as text, for the table that is named', () => {
    expect(sql('sqlite')).toMatch(/^CREATE TABLE IF NOT EXISTS pregon_outbox \(/);
    expect(sql('sqlite', 'news')).toMatch(/AUTOINCREMENT/);
    expect(sql('postgres', 'app.news')).toMatch(/CREATE TABLE IF NOT EXISTS app\.news_numbered \(/);
  });

  it('refuses a dialect or a table that is none', () => {
    expect(() => Reflect.apply(sql, undefined, ['oracle'])).toThrow(/oracle/);
    expect(() => sql('sqlite', 'a b')).toThrow(TypeError);
    expect(() => sql('postgres', 'a b')).toThrow(TypeError);
  });
});
