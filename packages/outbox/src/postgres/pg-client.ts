import type { PgPool, PgPoolClient } from './shapes.js';
import { sqlState } from './sql-state.js';
import { within } from './waiting.js';

/** A client of the pool, which goes back to it also where it comes too late. */
export function take(pool: PgPool, answerMs: number): Promise<PgPoolClient> {
  return within(answerMs, pool.connect(), (client) => client.release());
}

/** Runs `work` with a client, and gives it back in a state that others can use it in. */
export async function withClient<T>(
  taking: Promise<PgPoolClient>,
  work: (client: PgPoolClient) => Promise<T>,
): Promise<T> {
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
    if (sqlState(error) === undefined) failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.removeListener('error', ended);
    client.release(failure);
  }
}
