export type { OutboxEvent } from './event.js';
export type { AppendableLog, Relay, RelayLogger, RelayOptions, RelayState } from './relay.js';
export { DEFAULT_TABLE, type SqlDialect, sql } from './sql.js';
export type { SqliteDatabase, SqliteStatement, SqliteWriter } from './sqlite/database.js';
export {
  createOutbox,
  type Outbox,
  type OutboxOptions,
  type OutboxSnapshot,
  type SqliteRelayOptions,
} from './sqlite/outbox.js';
