import { toError } from '@pregon/protocol';
import { answerWithin, NoAnswer, NoConnection } from '../no-answer.js';
import { isRefusal } from '../sql-state.js';
import type { PgPool, PgPoolClient } from './shapes.js';

/** A client that is taken from its pool, until it is freed. */
export interface TakenClient {
  readonly client: PgPoolClient;
  /** Rejects when its connection ends. */
  readonly lost: Promise<never>;
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
      let ended: (error: Error) => void = () => {};
      const lost = new Promise<never>((_, rejectLost) => (ended = rejectLost));
      // The query that is under way, or the next one, fails as well: whoever has one need not look here.
      lost.catch(() => {});
      client.on('error', ended);
      const free = (destroy?: Error | true) => {
        client.removeListener('error', ended);
        client.release(destroy);
      };
      resolve({ client, lost, free });
    });
  });
}

/**
 * The same, but does not wait for ever; a client that comes too late goes back.
 *
 * @throws NoConnection if all connections of the pool were in use | NoAnswer if a new one could not be made in time
 */
export async function takeWithin(answerMs: number, pool: PgPool): Promise<TakenClient> {
  try {
    return await answerWithin(answerMs, take(pool), ({ free }) => free());
  } catch (error) {
    const { max } = pool.options ?? {};
    // A request in the pool's queue found all connections in use; one that is not queued waits for a connection that is being made.
    const isInLine = Number(Reflect.get(pool, 'waitingCount')) > 0;
    const isUsedUp = typeof max === 'number' && pool.totalCount >= max && isInLine;
    throw error instanceof NoAnswer && isUsedUp ? new NoConnection(answerMs, max) : error;
  }
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
    if (!isRefusal(error)) failure = toError(error);
    throw error;
  } finally {
    free(failure);
  }
}
