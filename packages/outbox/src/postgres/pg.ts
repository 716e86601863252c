import type { Database } from './database.js';
import { listenOnPg } from './pg-listener.js';
import { asOneTransaction } from './postgres-js.js';
import { rowsIn, type Session, sessionOf } from './session.js';
import type { PgPool, PgPoolClient } from './shapes.js';
import { within } from './waiting.js';

export function pgDatabase(pool: PgPool, answerMs: number): Database {
  const query = (client: PgPoolClient, text: string, values: readonly string[] = []) =>
    within(answerMs, sessionOf(client).query(text, values));
  return {
    maxConnections: pool.options?.max ?? undefined,
    query: (text, values) => withClient(take(pool, answerMs), (client) => query(client, text, values)),
    async script(setup, queries) {
      const text = asOneTransaction(setup, queries);
      const results = await withClient(take(pool, answerMs), (client) => within(answerMs, client.query(text)));
      // For several statements it returns a list, which its types do not tell.
      return rowsIn(results)
        .slice(-queries.length)
        .map((result) => rowsIn(Reflect.get(Object(result), 'rows')));
    },
    transaction: (access, work) =>
      withClient(pool.connect(), (client) => inTransaction(client, access, (session) => work(session, client))),
    listen: (channel, hearing) => listenOnPg(pool, channel, hearing, answerMs),
  };
}

/** A client of the pool, which goes back to it also where it comes too late. */
export function take(pool: PgPool, answerMs: number): Promise<PgPoolClient> {
  return within(answerMs, pool.connect(), (client) => client.release());
}

async function withClient<T>(taking: Promise<PgPoolClient>, work: (client: PgPoolClient) => Promise<T>): Promise<T> {
  const client = await taking;
  // A client that is taken from a pool ends the process when its connection ends and nobody listens. The query that is under way
  // fails as well, and that is what is told.
  const ended = () => {};
  client.on('error', ended);
  let failure: Error | undefined;
  try {
    return await work(client);
  } catch (error) {
    // An error of the server's leaves the connection as it was. After any other, nobody knows what it is in the middle of.
    if (!isOfServer(error)) failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.removeListener('error', ended);
    client.release(failure);
  }
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

/** True where PostgreSQL itself has refused, with one of its codes of five characters. */
function isOfServer(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && sqlState(error) !== undefined;
}

export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
