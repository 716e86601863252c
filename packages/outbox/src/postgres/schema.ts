/** The objects of one outbox in PostgreSQL. */
export interface PostgresNames {
  /** What transactions wrote and nobody has numbered yet. */
  readonly outbox: string;
  /** Numbered, on the way to the log. */
  readonly numbered: string;
  /** Rows that were numbered, then set aside because the log cannot take them. */
  readonly stuck: string;
  /** One row: how far the log has come, and which relay is at work. */
  readonly state: string;
  /** A sequence that holds no sequence but a time: until then (milliseconds since the epoch), writers need not notify. */
  readonly quiet: string;
  readonly channel: string;
}

export function postgresNames(table: string): PostgresNames {
  return {
    outbox: table,
    numbered: `${table}_numbered`,
    stuck: `${table}_stuck`,
    state: `${table}_state`,
    quiet: `${table}_quiet`,
    channel: table,
  };
}

/** PostgreSQL cuts names at 63 bytes; the longest of ours is nine longer than the table's. */
const NAME = /^(?:[A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,53}$/;

/** @throws TypeError where it is no plain name, with or without a schema's: it is written into SQL as it is. */
export function assertPostgresTableName(table: string): void {
  // The channel of NOTIFY is the whole name.
  if (!NAME.test(table) || table.length > 63) {
    throw new TypeError(`not a table name of letters, digits and underscores: ${JSON.stringify(table)}`);
  }
}

export function postgresSchema(table: string): string {
  const { outbox, numbered, state, quiet } = postgresNames(table);
  // Rows come and go: vacuum by their number alone, not by a share of a table that is empty most of the time.
  const queue =
    'autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0';
  // `event` is text: jsonb refuses \u0000 and lone surrogates, and the log is to get what was written, to the byte.
  return `CREATE TABLE IF NOT EXISTS ${outbox} (
  tx xid8 NOT NULL DEFAULT pg_current_xact_id(), -- whose row it is: what is known to be numbered need not be looked at again
  id bigint GENERATED ALWAYS AS IDENTITY, -- the order of those who change the same rows, as the later one waits for the earlier
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
CREATE TABLE IF NOT EXISTS ${state} (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  relayed bigint NOT NULL DEFAULT 0, -- all up to this sequence is in the log and removed
  holder uuid, -- the relay at work
  listener integer, -- the backend of its connection that listens, which ends when the process ends
  expires_at timestamptz -- until when it is at work, unless it renews
) WITH (fillfactor = 10);

INSERT INTO ${state} DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE SEQUENCE IF NOT EXISTS ${quiet} MINVALUE 0 START 0; -- holds a time, see the documentation
`;
}

/** The table in which a relay sets rows aside. It is part of the migration; after an older migration, the relay creates it itself if its role may. */
export function postgresStuckSchema(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${postgresNames(table).stuck} (
  sequence bigint PRIMARY KEY, -- the number that the event had
  id text, -- of the event, if it has one
  code text NOT NULL, -- why the log can never take it
  reason text NOT NULL,
  written_at timestamptz NOT NULL,
  stuck_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  event text NOT NULL
);
`;
}
