import Database from 'libsql';
import { SELECT_REVOCATIONS, SELECT_TABLE } from '../application/schema.js';
import { number, toCommitted, toRevocation, toTableRow } from './rows.js';
import type { TableName, Truth } from './truth.js';

/** SQLite has one writer at a time, so the order of the table of committed events is the order of the commits. */
export function readSqliteTruth(file: string): Truth {
  const db = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    const table = (name: TableName) => db.prepare(SELECT_TABLE[name]).all().map(toTableRow);
    const [count] = db.prepare('SELECT count(DISTINCT tx) AS count FROM committed').all();
    return {
      events: db
        .prepare('SELECT event_id, topic, changed, version, recorded_at FROM committed ORDER BY n')
        .all()
        .map(toCommitted),
      order: 'commits',
      tables: { accounts: table('accounts'), orders: table('orders') },
      transactions: number(count, 'count'),
      revocations: db.prepare(SELECT_REVOCATIONS).all().map(toRevocation),
    };
  } finally {
    db.close();
  }
}
