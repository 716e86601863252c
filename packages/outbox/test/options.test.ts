import { describe, expect, it } from 'vitest';
import { createOutbox, sql } from '../src/index.js';

const noDatabase = { prepare: () => ({ run: () => ({ lastInsertRowid: 1 }), all: () => [] }), exec: () => {} };
const log = { append: () => Promise.resolve() };

describe('createOutbox', () => {
  it('refuses options that cannot be', () => {
    expect(() => createOutbox({ source: '' })).toThrow(TypeError);
    expect(() => createOutbox({ source: '/a', maxEventBytes: 0 })).toThrow(RangeError);
    for (const table of ['', 'a b', 'a;--', '1a', 'sqlite_x', 'x'.repeat(64)]) {
      expect(() => createOutbox({ source: '/a', table }), table).toThrow(TypeError);
    }
  });

  it('refuses a relay with options that cannot be', () => {
    const outbox = createOutbox({ source: '/a' });
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

describe('sql', () => {
  it('is the migration as text, for the table that is named', () => {
    expect(sql('sqlite')).toMatch(/^CREATE TABLE IF NOT EXISTS pregon_outbox \(/);
    expect(sql('sqlite', 'news')).toMatch(/AUTOINCREMENT/);
  });

  it('refuses a dialect or a table that is none', () => {
    expect(() => Reflect.apply(sql, undefined, ['oracle'])).toThrow(/oracle/);
    expect(() => sql('sqlite', 'a b')).toThrow(TypeError);
  });
});
