import type { FactoryProvider, ModuleMetadata } from '@nestjs/common';
import type { OutboxOptions, PostgresPool, SqliteDatabase } from '@pregon/outbox';
import type { GatewayOptions } from 'pregon';

/** The table into which events are written in the transactions of the application; see `@pregon/outbox`. */
export interface PregonOutboxOptions extends OutboxOptions {
  /**
   * Where the table is: a synchronous SQLite connection (libsql, better-sqlite3, `node:sqlite`), a `Pool` of pg, a `postgres(…)`, a
   * `Kysely` on PostgreSQL, or a `DataSource` of TypeORM on PostgreSQL or better-sqlite3, initialized. It is not closed with the module.
   */
  readonly db: SqliteDatabase | PostgresPool;
  /** Whether the table is made at the start where it is missing. @default true */
  readonly migrate?: boolean;
  /** Whether this process moves events from the table to the log; false where another one does. @default true */
  readonly relay?: boolean;
}

export interface PregonModuleOptions extends GatewayOptions {
  /** @default none: the publisher publishes, but joins no transaction */
  readonly outbox?: PregonOutboxOptions;
  /** How the gateway takes leave of its clients when the application ends; see `Gateway.close`. */
  readonly shutdown?: { readonly spreadMs?: number; readonly timeoutMs?: number };
}

/** As everywhere in Nest: the module's options from a function, which is given what `inject` names. */
export interface PregonModuleAsyncOptions<Dependencies extends unknown[]> {
  readonly imports?: ModuleMetadata['imports'];
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory: (...dependencies: Dependencies) => PregonModuleOptions | Promise<PregonModuleOptions>;
}
