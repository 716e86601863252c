// The supported drivers, described by their shape, so that none is imported. Methods use method syntax, because
// TypeScript then compares them loosely enough for the overloads of the real drivers.

/** A connection of `pg` (node-postgres): a `Client` or a `PoolClient`. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

export interface PgPoolClient extends PgClient {
  release(destroy?: Error | boolean): void;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'notification', listener: (message: { readonly payload?: string | undefined }) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** A `Pool` of `pg`. */
export interface PgPool<Client extends PgClient = PgPoolClient> extends PgClient {
  connect(taken: (error: Error | undefined, client: Client | undefined) => void): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  readonly totalCount: number;
  readonly options?: { readonly max?: number | null | undefined };
}

/** The `sql` that `sql.begin(…)` of `postgres` (Postgres.js) passes on. */
export interface PostgresJsTransaction {
  unsafe(query: string, values?: string[]): PromiseLike<unknown>;
}

/** The result of `postgres(…)`. */
export interface PostgresJsSql<Tx extends PostgresJsTransaction = PostgresJsTransaction> extends PostgresJsTransaction {
  begin(options: string, work: (tx: Tx) => Promise<unknown>): Promise<unknown>;
  listen(
    channel: string,
    heard: (payload: string) => void,
    listening?: () => void,
  ): PromiseLike<{ readonly state: { readonly pid: number | null }; unlisten(): Promise<void> }>;
  readonly options: { readonly max: number };
}

/** A raw query that kysely runs unchanged. */
export interface KyselyQuery {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly query: {
    readonly kind: 'RawNode';
    readonly sqlFragments: readonly string[];
    readonly parameters: readonly never[];
  };
  readonly queryId: { readonly queryId: string };
}

/** A `Transaction` of kysely. */
export interface KyselyTransaction {
  readonly isTransaction: boolean;
  executeQuery(query: KyselyQuery): Promise<{ readonly rows: unknown[] }>;
}

export interface KyselyTransactionBuilder<Tx extends KyselyTransaction> {
  setIsolationLevel(level: 'read committed' | 'repeatable read'): KyselyTransactionBuilder<Tx>;
  setAccessMode(mode: 'read only' | 'read write'): KyselyTransactionBuilder<Tx>;
  execute(work: (tx: Tx) => Promise<unknown>): Promise<unknown>;
}

/** A `Kysely` on PostgreSQL. */
export interface KyselyDatabase<Tx extends KyselyTransaction = KyselyTransaction> extends KyselyTransaction {
  transaction(): KyselyTransactionBuilder<Tx>;
}

/** A `QueryRunner` of TypeORM. */
export interface TypeOrmQueryRunner {
  readonly isTransactionActive: boolean;
  /** Returns the driver's own connection, which is the same one for the lifetime of the query runner. */
  connect(): Promise<unknown>;
}

/** An `EntityManager` of TypeORM; that of a transaction has a query runner. */
export interface TypeOrmEntityManager {
  readonly queryRunner?: TypeOrmQueryRunner | undefined;
  getRepository(entity: never): unknown;
}

/** An initialized `DataSource` of TypeORM. */
export interface TypeOrmDataSource {
  readonly isInitialized: boolean;
  readonly driver: object;
  createQueryRunner(): TypeOrmQueryRunner;
}

/** A `Repository` of TypeORM; that of a transaction comes from the transaction's `EntityManager`. */
export interface TypeOrmRepository {
  readonly manager: TypeOrmEntityManager;
}

/** The forms in which TypeORM passes on a transaction. */
export type TypeOrmTransaction = TypeOrmEntityManager | TypeOrmQueryRunner | TypeOrmRepository;

/** A transaction of Drizzle on `node-postgres` or `postgres-js`. */
export interface DrizzleTransaction {
  readonly _: object;
  execute(query: never): unknown;
  rollback(): never;
}

/** The result of `drizzle(…)`, on a `Pool` of pg or on a `postgres(…)`. */
export interface DrizzleDatabase {
  readonly _: object;
  readonly $client: object;
  execute(query: never): unknown;
}

/** A transaction of knex on `pg`. */
export interface KnexTransaction {
  readonly executionPromise: Promise<unknown>;
  isCompleted(): boolean;
}

/** A transaction of Sequelize on PostgreSQL. */
export interface SequelizeTransaction {
  commit(): Promise<void>;
  rollback(): Promise<void>;
  afterCommit(work: never): unknown;
}

/** An `EntityManager` of MikroORM; that of a transaction has a context. */
export interface MikroOrmEntityManager {
  isInTransaction(): boolean;
  getTransactionContext(): unknown;
}

/** A `PGlite`, or a transaction of it. */
export interface Pglite {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>;
  exec(text: string): Promise<{ readonly rows: unknown[] }[]>;
}

/** The handle for writing an event: the caller's open transaction. */
export type PostgresTransaction =
  | PgClient
  | PostgresJsTransaction
  | KyselyTransaction
  | TypeOrmTransaction
  | DrizzleTransaction
  | KnexTransaction
  | SequelizeTransaction
  | MikroOrmEntityManager
  | Pglite;

/** The handle from which a relay and a snapshot take connections. */
export type PostgresPool = PgPool | PostgresJsSql | KyselyDatabase | TypeOrmDataSource | DrizzleDatabase;
