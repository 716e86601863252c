import { createPostgresOutbox, createSqliteOutbox, type SqliteDatabase, type StuckEvents } from '@pregon/outbox';
import { messageOf } from '@pregon/protocol';
import { loadDriver } from '../../core/load-driver.js';
import { builtInDriver } from '../../logs/open.js';
import { UsageError } from '../usage-error.js';

/** The outbox of an application, opened by a command. */
export interface OpenOutbox {
  readonly stuck: StuckEvents<number> | StuckEvents<Promise<number>>;
  close(): Promise<void>;
}

const CONNECT_MS = 10_000;
/** `createSqliteOutbox` needs a source; the commands for stuck events do not use it. */
const SOURCE = '/';

/**
 * @param url `sqlite:PATH` or `postgres://…`
 * @throws UsageError if the URL has another form, or the table is not a valid name
 * @throws PregonError DRIVER_MISSING
 * @throws Error if the database cannot be reached, or has no such table
 */
export async function openOutbox(url: string, table: string): Promise<OpenOutbox> {
  try {
    const embedded = await openEmbedded(url, table);
    if (embedded) return embedded;
    if (/^postgres(ql)?:\/\//.test(url)) return await openPostgres(url, table);
  } catch (error) {
    // The table is the only option that comes from the user.
    if (error instanceof TypeError && /not a table name/.test(error.message)) throw new UsageError(error.message);
    throw error;
  }
  throw new UsageError('name an outbox with --db=sqlite:PATH or --db=postgres://USER@HOST/DATABASE');
}

/** Opens a database file. Its URL has the same form as that of a log. Undefined for a URL of another form. */
async function openEmbedded(url: string, table: string): Promise<OpenOutbox | undefined> {
  const driver = builtInDriver(url);
  if (!driver?.admin?.database) return undefined;
  const outbox = createSqliteOutbox({ source: SOURCE, table });
  const database = await driver.admin.database(url);
  if (!database) return undefined;
  try {
    assertSqliteTable(database.db, table);
    return { stuck: outbox.stuck(database.db), close: async () => database.close() };
  } catch (error) {
    database.close();
    throw error;
  }
}

function assertSqliteTable(db: SqliteDatabase, table: string): void {
  const named = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE`);
  if (named.all(table).length === 0) throw noTable(table);
}

async function openPostgres(url: string, table: string): Promise<OpenOutbox> {
  const outbox = createPostgresOutbox({ source: SOURCE, table });
  const { Client } = await loadPg();
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  // A lost connection also rejects the pending query. Without a listener, this event would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (cause) {
    const why = messageOf(cause);
    throw new Error(`PostgreSQL cannot be reached: ${why}`, { cause });
  }
  try {
    const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
    if (Reflect.get(Object(rows[0]), 'there') !== true) throw noTable(table);
    return { stuck: outbox.stuck(client), close: () => client.end() };
  } catch (error) {
    await client.end();
    throw error;
  }
}

async function loadPg() {
  return (await loadDriver('pg', 'an outbox in PostgreSQL', () => import('pg'))).default;
}

function noTable(table: string): Error {
  return new Error(`there is no outbox table ${JSON.stringify(table)}: name the table with --table`);
}
