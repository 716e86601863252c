import type { Database } from './database.js';
import { take, takeWithin, withClient } from './pg-client.js';
import { PgListener } from './pg-listener.js';
import { asOneTransaction, rowsIn, type Session, sessionOf } from './session.js';
import type { PgPool, PgPoolClient } from './shapes.js';
import { within } from './waiting.js';

export function pgDatabase(pool: PgPool, answerMs: number): Database {
  const query = (client: PgPoolClient, text: string, values: readonly string[] = []) =>
    within(answerMs, sessionOf(client).query(text, values));
  return {
    maxConnections: pool.options?.max ?? undefined,
    query: (text, values) => withClient(takeWithin(answerMs, pool), (client) => query(client, text, values)),
    async script(setup, queries) {
      const text = asOneTransaction(setup, queries);
      const results = await withClient(takeWithin(answerMs, pool), (client) => within(answerMs, client.query(text)));
      // For several statements it returns a list, which its types do not tell.
      return rowsIn(results)
        .slice(-queries.length)
        .map((result) => rowsIn(Reflect.get(Object(result), 'rows')));
    },
    transaction: (access, work) =>
      withClient(take(pool), (client) => inTransaction(client, access, (session) => work(session, client))),
    listen: (channel, hearing) => new PgListener(pool, channel, hearing, answerMs),
  };
}

async function inTransaction<T>(
  client: PgPoolClient,
  access: 'read only' | 'read write',
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = sessionOf(client);
  await session.query(`BEGIN ISOLATION LEVEL REPEATABLE READ ${access}`);
  try {
    const result = await work(session);
    await session.query('COMMIT');
    return result;
  } catch (error) {
    await session.query('ROLLBACK');
    throw error;
  }
}
