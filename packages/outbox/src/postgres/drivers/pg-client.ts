import { toError } from '@pregon/protocol';
import { answerWithin, NoAnswer, NoConnection } from '../no-answer.js';
import { isRefusal } from '../sql-state.js';
import type { PgPool, PgPoolClient } from './shapes.js';

/** A client that was taken from its pool and is not freed yet. */
export interface TakenClient {
  readonly client: PgPoolClient;
  /** Rejects when its connection ends. */
  readonly lost: Promise<never>;
  /** Returns the client to the pool. With an error, or true, its connection is closed instead. */
  free(destroy?: Error | true): void;
}

/**
 * Takes a client from a pool. A client without an `error` listener ends the process when its connection ends, so the
 * listener must be added before anything else can happen. That requires the callback form: a promise settles too late
 * if the server accepts a connection and ends it at once.
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
      // The pending query, or the next one, fails as well, so its caller need not watch `lost`.
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
 * The same with a time limit; a client that arrives too late is returned to the pool.
 *
 * @throws NoConnection if all connections of the pool were in use | NoAnswer if a new one could not be opened in time
 */
export async function takeWithin(answerMs: number, pool: PgPool): Promise<TakenClient> {
  try {
    return await answerWithin(answerMs, take(pool), ({ free }) => free());
  } catch (error) {
    const { max } = pool.options ?? {};
    // A request in the pool's queue found all connections in use. A request that is not queued waits for a new
    // connection to open.
    const isInLine = Number(Reflect.get(pool, 'waitingCount')) > 0;
    const isUsedUp = typeof max === 'number' && pool.totalCount >= max && isInLine;
    throw error instanceof NoAnswer && isUsedUp ? new NoConnection(answerMs, max) : error;
  }
}

/** Runs `work` with a client and returns the client to the pool in a usable state. */
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
