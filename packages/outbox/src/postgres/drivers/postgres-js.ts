import { toError } from '@pregon/protocol';
import type { Database, Hearing, Listener, TransactionOptions, TransactionWork } from '../database.js';
import { answerWithin, withinPool } from '../no-answer.js';
import { asOneTransaction, rowsIn, sessionOf, withDeadline } from '../session.js';
import { runDriverTransaction } from './driver-transaction.js';
import type { PostgresJsSql, PostgresJsTransaction } from './shapes.js';

export function postgresJsDatabase(sql: PostgresJsSql, answerMs: number): Database {
  const session = sessionOf(sql);
  return {
    maxConnections: sql.options.max,
    query: (text, values) => withinPool(answerMs, sql.options.max, session.query(text, values)),
    async script(setup, queries) {
      const asked = session.query(asOneTransaction(setup, queries));
      const results = await withinPool(answerMs, sql.options.max, asked);
      return results.slice(-queries.length).map(rowsIn);
    },
    transaction: <T>({ access, queryMs }: TransactionOptions, work: TransactionWork<T>) =>
      runDriverTransaction(
        answerMs,
        (body: (tx: PostgresJsTransaction) => Promise<void>) =>
          sql.begin(`isolation level repeatable read ${access}`, body),
        (tx) => work(withDeadline(queryMs, sessionOf(tx)), tx),
      ),
    listen: (channel, hearing) => listen(sql, channel, hearing, answerMs),
  };
}

/** Listens. The driver keeps a connection for it and reopens the connection when it is lost. */
function listen(sql: PostgresJsSql, channel: string, hearing: Hearing, answerMs: number): Listener {
  let pid: number | undefined;
  const heard = (payload: string) => hearing.heard(payload);
  const begun = sql.listen(channel, heard, () => {
    // The driver reports only the pid of the first connection.
    pid = undefined;
    hearing.listening();
  });
  const first = begun.then((listening) => {
    pid = listening.state.pid ?? undefined;
    return listening;
  });
  const known = Promise.resolve(first).catch((error: unknown) => {
    hearing.failed(toError(error));
    return undefined;
  });
  return {
    get pid() {
      return pid;
    },
    async stop() {
      // `unlisten` has no time limit of its own, and neither has the first connection.
      const unlistened = known.then((listening) => listening?.unlisten());
      await answerWithin(answerMs, unlistened).catch((error: unknown) => hearing.failed(toError(error)));
    },
  };
}
