import pg from 'pg';
import { SELECT_REVOCATIONS, SELECT_TABLE } from '../application/schema.js';
import { number, toCommitted, toRevocation, toTableRow } from './rows.js';
import type { TableName, TableRow, Truth } from './truth.js';

/** Transactions commit side by side here; the rows that they share determine their order. */
export async function readPostgresTruth(url: string): Promise<Truth> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const rows = async (sql: string): Promise<unknown[]> => (await client.query(sql)).rows;
    const table = async (name: TableName): Promise<TableRow[]> => (await rows(SELECT_TABLE[name])).map(toTableRow);
    const [count] = await rows('SELECT count(DISTINCT tx) AS count FROM committed');
    const events = await rows('SELECT event_id, topic, changed, version, recorded_at FROM committed ORDER BY n');
    return {
      events: events.map(toCommitted),
      order: 'rows',
      tables: { accounts: await table('accounts'), orders: await table('orders') },
      transactions: number(count, 'count'),
      revocations: (await rows(SELECT_REVOCATIONS)).map(toRevocation),
    };
  } finally {
    await client.end();
  }
}
