import type { Database, TransactionOptions, TransactionWork } from '../database.js';
import { blamingPool, withinPool } from '../no-answer.js';
import { sessionOf, withDeadline } from '../session.js';
import { runDriverTransaction } from './driver-transaction.js';
import type { KyselyDatabase, KyselyTransaction } from './shapes.js';

/** Makes the database of a Kysely. Kysely has no LISTEN, so its relay polls. */
export function kyselyDatabase(db: KyselyDatabase, answerMs: number): Database {
  const session = sessionOf(db);
  return {
    // The pool belongs to the dialect and is not visible.
    maxConnections: undefined,
    query: (text, values) => withinPool(answerMs, undefined, session.query(text, values)),
    async script(setup, queries) {
      const results: (readonly unknown[])[] = [];
      const run = db
        .transaction()
        .setIsolationLevel('read committed')
        .execute(async (tx) => {
          const inside = sessionOf(tx);
          for (const statement of setup) await inside.query(statement);
          for (const query of queries) results.push(await inside.query(query));
        });
      await withinPool(answerMs, undefined, run);
      return results;
    },
    transaction: <T>({ access, queryMs }: TransactionOptions, work: TransactionWork<T>) =>
      blamingPool(
        answerMs,
        undefined,
        runDriverTransaction(
          answerMs,
          (body: (tx: KyselyTransaction) => Promise<void>) =>
            db.transaction().setIsolationLevel('repeatable read').setAccessMode(access).execute(body),
          (tx) => work(withDeadline(queryMs, sessionOf(tx)), tx),
        ),
      ),
  };
}
