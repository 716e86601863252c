/**
 * Recognizes the handles of drivers and ORMs by their shape, because none of them is imported. Each shape tests for
 * members that no other handle has: `query`, `execute`, `transaction` and `getRepository` occur in several.
 */
export type HandleKind =
  | 'drizzle'
  | 'event'
  | 'knex'
  | 'kysely'
  | 'mikro-orm'
  | 'mikro-orm-manager'
  | 'mysql2'
  | 'other'
  | 'pglite'
  | 'postgres.js'
  | 'prisma'
  | 'sequelize'
  | 'sequelize-transaction'
  | 'sqlite'
  | 'sqlite-async'
  | 'typeorm';

/** The first matching shape wins. */
const SHAPES: readonly (readonly [HandleKind, (handle: object) => boolean])[] = [
  ['prisma', (handle) => has(handle, '$queryRawUnsafe')],
  ['kysely', (handle) => has(handle, 'executeQuery')],
  [
    'knex',
    (handle) =>
      has(handle, 'raw') && isObject(get(handle, 'client')) && has(get(handle, 'client'), 'acquireConnection'),
  ],
  [
    'drizzle',
    (handle) => isObject(get(handle, 'session')) && isObject(get(handle, 'dialect')) && has(handle, 'transaction'),
  ],
  ['mikro-orm-manager', (handle) => has(handle, 'getTransactionContext') && has(handle, 'isInTransaction')],
  ['mikro-orm', (handle) => isObject(get(handle, 'em')) && has(get(handle, 'em'), 'getTransactionContext')],
  ['sequelize-transaction', (handle) => isObject(get(handle, 'sequelize')) && has(handle, 'commit')],
  ['sequelize', (handle) => has(handle, 'getQueryInterface') && has(handle, 'transaction')],
  [
    'typeorm',
    (handle) => has(handle, 'createQueryRunner') || has(handle, 'getRepository') || 'isTransactionActive' in handle,
  ],
  ['typeorm', (handle) => isObject(get(handle, 'manager')) && has(get(handle, 'manager'), 'getRepository')],
  ['mysql2', (handle) => has(handle, 'query') && has(handle, 'execute') && has(handle, 'format')],
  ['postgres.js', (handle) => has(handle, 'unsafe')],
  ['pglite', (handle) => has(handle, 'query') && has(handle, 'exec') && !has(handle, 'prepare')],
  ['sqlite-async', (handle) => has(handle, 'batch') || (has(handle, 'prepare') && has(handle, 'each'))],
  ['sqlite', (handle) => has(handle, 'prepare') && has(handle, 'exec')],
  ['event', (handle) => typeof get(handle, 'topic') === 'string' && typeof get(handle, 'type') === 'string'],
];

/** Recognizes a handle. @returns `other` if no shape matches */
export function kindOf(handle: unknown): HandleKind {
  if (!isObject(handle)) return 'other';
  return SHAPES.find(([, fits]) => fits(handle))?.[0] ?? 'other';
}

/**
 * Returns the driver's handle below a Drizzle handle: in a transaction its connection, otherwise the pool or connection
 * that Drizzle uses.
 *
 * @returns undefined if Drizzle does not expose it
 */
export function innerOfDrizzle(handle: object): unknown {
  return get(get(handle, 'session'), 'client') ?? get(handle, '$client');
}

export function get(handle: unknown, property: string): unknown {
  return isObject(handle) ? Reflect.get(handle, property) : undefined;
}

export function has(handle: unknown, method: string): boolean {
  return typeof get(handle, method) === 'function';
}

export function isObject(handle: unknown): handle is object {
  return (typeof handle === 'object' && handle !== null) || typeof handle === 'function';
}
