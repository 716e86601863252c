import type { FactoryProvider, ModuleMetadata } from '@nestjs/common';
import type { OutboxOptions, PostgresPool, SqliteDatabase } from '@pregon/outbox';
import type { GatewayOptions } from 'pregon';

/** The outbox: the table that events are written to in the application's transactions; see `@pregon/outbox`. */
export interface PregonOutboxOptions extends OutboxOptions {
  /**
   * The database of the table: a synchronous SQLite connection (libsql, better-sqlite3, `node:sqlite`), a `Pool` of pg,
   * a `postgres(…)`, a `Kysely` on PostgreSQL, or an initialized TypeORM `DataSource` on PostgreSQL or better-sqlite3.
   * The module does not close it.
   */
  readonly db: SqliteDatabase | PostgresPool;
  /** Whether the table is created at the start if it is missing. @default true */
  readonly migrate?: boolean;
  /** Whether this process moves events from the table to the log; false if another process does. @default true */
  readonly relay?: boolean;
}

export interface PregonModuleOptions extends GatewayOptions {
  /** @default no outbox: the publisher can publish, but not in a transaction */
  readonly outbox?: PregonOutboxOptions;
  /** How the gateway closes its connections when the application stops; see `Gateway.close`. */
  readonly shutdown?: { readonly spreadMs?: number; readonly timeoutMs?: number };
}

/** Options from a factory function, as usual in Nest. The function gets the providers that `inject` names. */
export interface PregonModuleAsyncOptions<Dependencies extends unknown[]> {
  readonly imports?: ModuleMetadata['imports'];
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory: (...dependencies: Dependencies) => PregonModuleOptions | Promise<PregonModuleOptions>;
}
