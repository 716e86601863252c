/** The names of the database objects of one outbox in PostgreSQL. */
export interface PostgresNames {
  /** Rows of committed transactions without a number. */
  readonly outbox: string;
  /** Rows with a number, on their way to the log. */
  readonly numbered: string;
  /** Rows that were numbered and then set aside because the log cannot take them. */
  readonly stuck: string;
  /** Revocations on their way to the log. */
  readonly revoked: string;
  /** One row: how far the log has come, and which relay is active. */
  readonly state: string;
  /** A sequence that stores a time: until then (milliseconds since the epoch), writers need not notify. */
  readonly quiet: string;
  readonly channel: string;
}

export function postgresNames(table: string): PostgresNames {
  return {
    outbox: table,
    numbered: `${table}_numbered`,
    stuck: `${table}_stuck`,
    revoked: `${table}_revoked`,
    state: `${table}_state`,
    quiet: `${table}_quiet`,
    channel: table,
  };
}

/** PostgreSQL truncates names at 63 bytes; the longest derived name is nine characters longer than the table's. */
const NAME = /^(?:[A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,53}$/;

/** @throws TypeError if it is not a plain name, with or without a schema: the name becomes part of the SQL text */
export function assertPostgresTableName(table: string): void {
  // The NOTIFY channel has the whole name, including the schema.
  if (!NAME.test(table) || table.length > 63) {
    throw new TypeError(`not a table name of letters, digits and underscores: ${JSON.stringify(table)}`);
  }
}

export function postgresSchema(table: string): string {
  const { outbox, numbered, revoked, state, quiet } = postgresNames(table);
  // Rows come and go, so vacuum by their number alone, not by a share of a table that is empty most of the time.
  const queue =
    'autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0';
  // `event` is text: jsonb refuses \u0000 and lone surrogates, and the log must get exactly the bytes that were
  // written.
  return `CREATE TABLE IF NOT EXISTS ${outbox} (
  tx xid8 NOT NULL DEFAULT pg_current_xact_id(), -- the transaction of the row, to skip numbered ones
  id bigint GENERATED ALWAYS AS IDENTITY, -- the order of transactions that change the same rows
  written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  event text NOT NULL, -- CloudEvents 1.0 JSON, without its sequence
  PRIMARY KEY (tx, id)
) WITH (${queue});

CREATE TABLE IF NOT EXISTS ${numbered} (
  sequence bigint PRIMARY KEY, -- the number of the event at its source, never used twice
  written_at timestamptz NOT NULL,
  event text NOT NULL
) WITH (${queue});

${postgresStuckSchema(table)}
CREATE TABLE IF NOT EXISTS ${revoked} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of the revocations
  revocation text NOT NULL -- JSON
) WITH (${queue});

CREATE TABLE IF NOT EXISTS ${state} (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  relayed bigint NOT NULL DEFAULT 0, -- all events up to this sequence are in the log and removed
  holder uuid, -- the active relay
  listener integer, -- the backend of its listening connection, which ends when the process ends
  expires_at timestamptz -- the end of its lease, unless it renews
) WITH (fillfactor = 10);

INSERT INTO ${state} DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE SEQUENCE IF NOT EXISTS ${quiet} MINVALUE 0 START 0; -- stores a time, see the documentation
`;
}

/**
 * The table of the rows that a relay sets aside. It is part of the migration. After an older migration, the relay
 * creates it if its role may.
 */
export function postgresStuckSchema(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${postgresNames(table).stuck} (
  sequence bigint PRIMARY KEY, -- the number that the event had
  id text, -- of the event, if it has one
  code text NOT NULL, -- the error code of the refusal
  reason text NOT NULL,
  written_at timestamptz NOT NULL,
  stuck_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  event text NOT NULL
);
`;
}
