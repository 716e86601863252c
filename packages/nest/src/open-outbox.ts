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

/** A relay, of whichever database. */
export interface RunningRelay {
  start(): void;
  stop(): Promise<void>;
}

/** An outbox, and with which of the two kinds of transactions it goes. */
export type OpenOutbox =
  | { readonly kind: 'sqlite'; readonly outbox: SqliteOutbox; readonly relay: RunningRelay | undefined }
  | { readonly kind: 'postgres'; readonly outbox: PostgresOutbox; readonly relay: RunningRelay | undefined };

/**
 * The outbox of a database, its table made where it is missing, and its relay, which is not started.
 *
 * @throws TypeError for a database of no known shape
 */
export async function openOutbox(
  { db, migrate = true, relay = true, ...options }: PregonOutboxOptions,
  log: Log,
  logger: RelayLogger,
): Promise<OpenOutbox> {
  // What the relay has to tell, it tells the logger.
  const relayOptions = { log, logger, onError: () => {} };
  const sqlite = sqliteOf(db);
  if (sqlite !== undefined) {
    const outbox = createSqliteOutbox(options);
    if (migrate) outbox.migrate(sqlite);
    return { kind: 'sqlite', outbox, relay: relay ? outbox.relay({ db: sqlite, ...relayOptions }) : undefined };
  }
  if (isSqliteDatabase(db)) throw new TypeError('outbox.db: not a database of a known shape');
  const outbox = createPostgresOutbox(options);
  if (migrate) await outbox.migrate(db);
  return { kind: 'postgres', outbox, relay: relay ? outbox.relay({ db, ...relayOptions }) : undefined };
}

function sqliteOf(db: SqliteDatabase | PostgresPool): SqliteDatabase | undefined {
  if (isSqliteDatabase(db)) return db;
  const connection = 'isInitialized' in db ? connectionOf(db) : undefined;
  return isSqliteDatabase(connection) ? connection : undefined;
}

/** TypeORM has one connection of better-sqlite3, and a pool on PostgreSQL. */
function connectionOf({ driver }: TypeOrmDataSource): unknown {
  return Reflect.get(driver, 'databaseConnection');
}
