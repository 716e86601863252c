import type { PgPool, PgPoolClient } from './shapes.js';
import { sqlState } from './sql-state.js';
import { within } from './waiting.js';

/** A client that is taken from its pool, until it is freed. */
export interface TakenClient {
  readonly client: PgPoolClient;
  /** Gives it back; with a reason not to use it any more, or true, its connection is ended. */
  free(destroy?: Error | true): void;
}

/**
 * Takes a client. One that is taken ends the process when its connection ends and nobody listens; this listens before anything else
 * can happen, which is why it takes the callback: a promise is heard too late where the server's last word follows on its first.
 */
export function take(pool: PgPool): Promise<TakenClient> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined) {
        reject(error ?? new Error('the pool gave no client'));
        return;
      }
      // The query that is under way, or the next one, fails as well, and that is what is told.
      const ended = () => {};
      client.on('error', ended);
      const free = (destroy?: Error | true) => {
        client.removeListener('error', ended);
        client.release(destroy);
      };
      resolve({ client, free });
    });
  });
}

/** The same, but does not wait for ever; a client that comes too late goes back. */
export function takeWithin(answerMs: number, pool: PgPool): Promise<TakenClient> {
  return within(answerMs, take(pool), ({ free }) => free());
}

/** Runs `work` with a client, and gives it back in a state that others can use it in. */
export async function withClient<T>(
  taking: Promise<TakenClient>,
  work: (client: PgPoolClient) => Promise<T>,
): Promise<T> {
  const { client, free } = await taking;
  let failure: Error | undefined;
  try {
    return await work(client);
  } catch (error) {
    // An error of the server's leaves the connection as it was. After any other, nobody knows what it is in the middle of.
    if (sqlState(error) === undefined) failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    free(failure);
  }
}
