import type { TableName } from '../verification/truth.js';

/** SQL for both databases; they differ only in the type of an ascending key. */
export function schema(ascendingKey: string): string[] {
  return [
    'CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, version INTEGER NOT NULL, balance INTEGER NOT NULL)',
    'CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL, note TEXT NOT NULL)',
    `CREATE TABLE IF NOT EXISTS committed (
       n ${ascendingKey}, tx TEXT NOT NULL, event_id TEXT NOT NULL, topic TEXT NOT NULL, changed TEXT NOT NULL, version INTEGER NOT NULL,
       recorded_at BIGINT NOT NULL
     )`,
    `CREATE TABLE IF NOT EXISTS revocations (
       n ${ascendingKey}, kind TEXT NOT NULL, subject TEXT NOT NULL, at BIGINT NOT NULL, committed_by BIGINT
     )`,
  ];
}

export const SELECT_TABLE: Readonly<Record<TableName, string>> = {
  accounts: 'SELECT id, version, balance FROM accounts ORDER BY id',
  orders: 'SELECT id, version, state, note FROM orders ORDER BY id',
};

export const INSERT_COMMITTED =
  'INSERT INTO committed (tx, event_id, topic, changed, version, recorded_at) VALUES (?, ?, ?, ?, ?, ?)';

export const INSERT_REVOCATION = 'INSERT INTO revocations (kind, subject, at) VALUES (?, ?, ?)';

export const SELECT_REVOCATIONS = 'SELECT kind, subject, at, committed_by FROM revocations ORDER BY n';
