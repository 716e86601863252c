import {
  createPostgresOutbox,
  createSqliteOutbox,
  type PostgresOutbox,
  type PostgresPool,
  type RelayLogger,
  type SqliteDatabase,
  type SqliteOutbox,
  type TypeOrmDataSource,
} from '@pregon/outbox';
import type { Log } from 'pregon';
import type { PregonOutboxOptions } from './options.js';
import { isSqliteDatabase } from './sqlite-shape.js';

/** A relay for either kind of database. */
export interface RunningRelay {
  start(): void;
  stop(): Promise<void>;
}

/** An outbox, with the kind of transaction that it accepts. */
export type OpenOutbox =
  | { readonly kind: 'sqlite'; readonly outbox: SqliteOutbox; readonly relay: RunningRelay | undefined }
  | { readonly kind: 'postgres'; readonly outbox: PostgresOutbox; readonly relay: RunningRelay | undefined };

/**
 * Opens the outbox of a database: creates its table if it is missing, and its relay, which is not started yet.
 *
 * @throws TypeError if the database has an unknown shape
 */
export async function openOutbox(
  { db, migrate = true, relay = true, ...options }: PregonOutboxOptions,
  log: Log,
  logger: RelayLogger,
): Promise<OpenOutbox> {
  // The relay reports its errors to the logger as well.
  const relayOptions = { log, logger, onError: () => {} };
  const sqlite = sqliteOf(db);
  if (sqlite !== undefined) {
    const outbox = createSqliteOutbox(options);
    if (migrate) outbox.migrate(sqlite);
    return { kind: 'sqlite', outbox, relay: relay ? outbox.relay({ db: sqlite, ...relayOptions }) : undefined };
  }
  if (isSqliteDatabase(db))
    throw new TypeError(
      'outbox.db is not a supported database: give a SQLite connection, a pool of pg or postgres, a Kysely or a DataSource',
    );
  const outbox = createPostgresOutbox(options);
  if (migrate) await outbox.migrate(db);
  return { kind: 'postgres', outbox, relay: relay ? outbox.relay({ db, ...relayOptions }) : undefined };
}

function sqliteOf(db: SqliteDatabase | PostgresPool): SqliteDatabase | undefined {
  if (isSqliteDatabase(db)) return db;
  const connection = 'isInitialized' in db ? connectionOf(db) : undefined;
  return isSqliteDatabase(connection) ? connection : undefined;
}

/** TypeORM has a single connection for better-sqlite3, and a pool for PostgreSQL. */
function connectionOf({ driver }: TypeOrmDataSource): unknown {
  return Reflect.get(driver, 'databaseConnection');
}
