import type { Database } from './database.js';
import { sessionOf } from './session.js';
import type { KyselyDatabase } from './shapes.js';
import { within } from './waiting.js';

/** Kysely knows no LISTEN: a relay on it polls. */
export function kyselyDatabase(db: KyselyDatabase, answerMs: number): Database {
  const session = sessionOf(db);
  return {
    // Its pool is its dialect's own affair.
    maxConnections: undefined,
    query: (text, values) => within(answerMs, session.query(text, values)),
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
      await within(answerMs, run);
      return results;
    },
    async transaction(access, work) {
      let result: { readonly value: Awaited<ReturnType<typeof work>> } | undefined;
      await db
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode(access)
        .execute(async (tx) => {
          result = { value: await work(sessionOf(tx), tx) };
        });
      if (result === undefined) throw new TypeError('the driver did not run the transaction');
      return result.value;
    },
  };
}
