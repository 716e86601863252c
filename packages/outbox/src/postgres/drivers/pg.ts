import type { Database, TransactionOptions, TransactionWork } from '../database.js';
import { answerWithin, NoAnswer } from '../no-answer.js';
import { asOneTransaction, rowsIn, sessionOf, withDeadline } from '../session.js';
import { takeWithin, withClient } from './pg-client.js';
import { PgListener } from './pg-listener.js';
import type { PgPool, PgPoolClient } from './shapes.js';

/** The number of connections of a pool that listen; relays of several outboxes may share a pool. */
const listenersOf = new WeakMap<PgPool, number>();

export function pgDatabase(pool: PgPool, answerMs: number): Database {
  const query = (client: PgPoolClient, text: string, values: readonly string[] = []) =>
    answerWithin(answerMs, sessionOf(client).query(text, values));
  return {
    maxConnections: pool.options?.max ?? undefined,
    query: (text, values) => withClient(takeWithin(answerMs, pool), (client) => query(client, text, values)),
    async script(setup, queries) {
      const text = asOneTransaction(setup, queries);
      const results = await withClient(takeWithin(answerMs, pool), (client) =>
        answerWithin(answerMs, client.query(text)),
      );
      // For several statements pg returns a list, which its types do not declare.
      return rowsIn(results)
        .slice(-queries.length)
        .map((result) => rowsIn(Reflect.get(Object(result), 'rows')));
    },
    transaction: (options, work) => inTransaction(pool, answerMs, options, work),
    listen: (channel, hearing) => {
      const listening = listenersOf.get(pool) ?? 0;
      // At least one connection stays free for queries, including those of the application.
      if (listening + 1 >= (pool.options?.max ?? Number.POSITIVE_INFINITY)) return undefined;
      listenersOf.set(pool, listening + 1);
      const listener = new PgListener(pool, channel, hearing, answerMs);
      return {
        get pid() {
          return listener.pid;
        },
        async stop() {
          await listener.stop();
          listenersOf.set(pool, (listenersOf.get(pool) ?? 1) - 1);
        },
      };
    },
  };
}

async function inTransaction<T>(
  pool: PgPool,
  answerMs: number,
  { access, queryMs }: TransactionOptions,
  work: TransactionWork<T>,
): Promise<T> {
  const { client, lost, free } = await takeWithin(answerMs, pool);
  let isUsable = true;
  const ask = async (text: string) => {
    await answerWithin(answerMs, client.query(text));
  };
  try {
    await ask(`BEGIN ISOLATION LEVEL REPEATABLE READ ${access}`);
    const result = await Promise.race([work(withDeadline(queryMs, sessionOf(client)), client), lost]);
    await ask('COMMIT');
    return result;
  } catch (error) {
    // A connection that gave no answer would not answer ROLLBACK either.
    isUsable =
      !(error instanceof NoAnswer) &&
      (await ask('ROLLBACK').then(
        () => true,
        () => false,
      ));
    throw error;
  } finally {
    free(isUsable ? undefined : true);
  }
}
