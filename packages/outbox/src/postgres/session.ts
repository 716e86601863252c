import { get, kindOf } from '../handles.js';
import { innerConnection } from './drivers/foreign-handles.js';
import type {
  KyselyDatabase,
  KyselyTransaction,
  PgClient,
  Pglite,
  PgPool,
  PostgresJsSql,
  PostgresJsTransaction,
} from './drivers/shapes.js';
import { openQueryRunner } from './drivers/typeorm.js';
import { answerWithin } from './no-answer.js';

/**
 * A connection or a transaction of any driver. Values are sent as text and columns are read as text, cast in SQL if
 * necessary: drivers, and the applications that configure them, represent a bigint in different ways. Column names have
 * one word, so that plugins that convert names to camel case do not change them.
 */
export interface Session {
  query(text: string, values?: readonly string[]): Promise<readonly unknown[]>;
}

/** @throws TypeError if it is not a handle of a known driver */
export function sessionOf(handle: unknown): Session {
  if (isKysely(handle)) {
    assertPostgresDialect(handle);
    return {
      async query(text, values = []) {
        const query = { kind: 'RawNode', sqlFragments: [text], parameters: [] } as const;
        const { rows } = await handle.executeQuery({
          sql: text,
          parameters: values,
          query,
          queryId: { queryId: text },
        });
        return rows;
      },
    };
  }
  if (isPostgresJs(handle)) {
    return {
      async query(text, values = []) {
        return rowsIn(await handle.unsafe(text, [...values]));
      },
    };
  }
  if (isPglite(handle)) {
    return {
      async query(text, values = []) {
        // `query` accepts one statement; `exec` accepts several, but no values.
        if (values.length > 0) return (await handle.query(text, [...values])).rows;
        return (await handle.exec(text)).at(-1)?.rows ?? [];
      },
    };
  }
  if (isPg(handle)) {
    return {
      async query(text, values = []) {
        // Without values, pg uses PostgreSQL's simple protocol, which accepts several statements.
        const { rows } = await (values.length === 0 ? handle.query(text) : handle.query(text, [...values]));
        return rows ?? [];
      },
    };
  }
  throw new TypeError(
    'not a connection or transaction of pg, postgres, kysely, typeorm, drizzle, knex, sequelize or mikro-orm',
  );
}

/** Returns the same session with a time limit: slower queries throw {@link NoAnswer}. */
export function withDeadline(ms: number, session: Session): Session {
  return { query: (text, values) => answerWithin(ms, session.query(text, values)) };
}

/**
 * Returns the session of an open transaction, in which to write an event.
 *
 * @throws TypeError for a pool: each of its queries may use another connection, and none is part of the caller's
 * transaction
 */
export function transactionSession(handle: unknown): Session {
  if (kindOf(handle) === 'typeorm') {
    const runner = openQueryRunner(handle);
    if (runner === undefined) throw new TypeError(IS_POOL);
    return { query: async (text, values) => sessionOf(await runner.connect()).query(text, values) };
  }
  const connection = innerConnection(handle);
  if (connection instanceof Promise) {
    // The caller gets the rejection from `query`. If the event is refused, `query` is never called.
    connection.catch(() => {});
    return { query: async (text, values) => sessionOf(await connection).query(text, values) };
  }
  if (isPgPool(connection) || isPostgresJsSql(connection) || (isKysely(connection) && !connection.isTransaction)) {
    throw new TypeError(IS_POOL);
  }
  return sessionOf(connection);
}

const IS_POOL = 'add needs the transaction in which the change is made: this is a pool, which is not in a transaction';

/**
 * Joins statements for the simple protocol, which runs them as one transaction and rolls it back if one of them fails.
 */
export function asOneTransaction(setup: readonly string[], queries: readonly string[]): string {
  return [...setup, ...queries].join(';\n');
}

/** The name of its adapter shows the dialect. An adapter with another name may be for PostgreSQL. */
function assertPostgresDialect(handle: KyselyTransaction): void {
  const getExecutor: unknown = Reflect.get(handle, 'getExecutor');
  const executor: unknown = typeof getExecutor === 'function' ? getExecutor.call(handle) : undefined;
  const name = get(get(get(executor, 'adapter'), 'constructor'), 'name');
  if (typeof name === 'string' && /^(sqlite|mysql|mssql)/i.test(name)) {
    throw new TypeError(`this Kysely does not use PostgreSQL: its adapter is ${name}`);
  }
}

function isPglite(handle: unknown): handle is Pglite {
  return kindOf(handle) === 'pglite';
}

export function isKysely(handle: unknown): handle is KyselyTransaction {
  return has(handle, 'executeQuery');
}

export function isKyselyDatabase(handle: unknown): handle is KyselyDatabase {
  return isKysely(handle) && !handle.isTransaction && has(handle, 'transaction');
}

export function isPostgresJs(handle: unknown): handle is PostgresJsTransaction {
  return has(handle, 'unsafe');
}

export function isPostgresJsSql(handle: unknown): handle is PostgresJsSql {
  return isPostgresJs(handle) && has(handle, 'begin') && has(handle, 'listen');
}

export function isPg(handle: unknown): handle is PgClient {
  return has(handle, 'query');
}

export function isPgPool(handle: unknown): handle is PgPool {
  return isPg(handle) && has(handle, 'connect') && typeof Reflect.get(handle, 'totalCount') === 'number';
}

export function rowsIn(result: unknown): readonly unknown[] {
  if (!Array.isArray(result)) throw new TypeError('the driver did not return a list of rows');
  return result;
}

function has(handle: unknown, method: string): handle is object {
  const isObject = (typeof handle === 'object' && handle !== null) || typeof handle === 'function';
  return isObject && typeof Reflect.get(handle, method) === 'function';
}
