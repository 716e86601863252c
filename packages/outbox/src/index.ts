export type { BlockTarget, RevocationTarget, RevokedSubject } from '@pregon/protocol';
export type { OutboxEvent } from './event.js';
export type { OutboxOptions } from './options.js';
export type {
  DrizzleDatabase,
  DrizzleTransaction,
  KnexTransaction,
  KyselyDatabase,
  KyselyQuery,
  KyselyTransaction,
  KyselyTransactionBuilder,
  MikroOrmEntityManager,
  PgClient,
  Pglite,
  PgPool,
  PgPoolClient,
  PostgresJsSql,
  PostgresJsTransaction,
  PostgresPool,
  PostgresTransaction,
  SequelizeTransaction,
  TypeOrmDataSource,
  TypeOrmEntityManager,
  TypeOrmQueryRunner,
  TypeOrmRepository,
  TypeOrmTransaction,
} from './postgres/drivers/shapes.js';
export { openQueryRunner } from './postgres/drivers/typeorm.js';
export {
  createPostgresOutbox,
  type PostgresOutbox,
  type PostgresOutboxOptions,
  type PostgresRelay,
  type PostgresRelayOptions,
} from './postgres/outbox.js';
export type { AppendableLog, Relay, RelayLogger, RelayOptions, RelayState } from './relay.js';
export type { OutboxSnapshot } from './snapshot.js';
export { DEFAULT_TABLE, type SqlDialect, sql } from './sql.js';
export type { SqliteDatabase, SqliteStatement, SqliteWriter } from './sqlite/database.js';
export {
  createSqliteOutbox,
  /** Alias of createSqliteOutbox. */
  createSqliteOutbox as createOutbox,
  type SqliteOutbox,
  /** Alias of SqliteOutbox. */
  type SqliteOutbox as Outbox,
  type SqliteRelayOptions,
} from './sqlite/outbox.js';
export type { StuckChoice, StuckEvent, StuckEvents } from './stuck.js';
