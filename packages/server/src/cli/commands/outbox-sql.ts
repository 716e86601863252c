import { DEFAULT_TABLE, sql } from '@pregon/outbox';
import type { Command } from '../command.js';
import { write } from '../terminal/output.js';
import { UsageError } from '../usage-error.js';

const DIALECTS = ['postgres', 'sqlite'] as const;

export const outboxSql: Command = {
  name: 'outbox sql',
  summary: 'Print the SQL that creates the outbox, for migrations that are kept in files',
  details: ['The SQL is idempotent. Applications that call outbox.migrate() do not need it.'],
  arguments: [{ name: 'DIALECT', required: true, description: DIALECTS.join(' or ') }],
  flags: {
    table: { kind: 'text', value: 'NAME', description: `the name of the outbox table (default: ${DEFAULT_TABLE})` },
  },
  examples: ['pregon outbox sql postgres > migrations/0007-outbox.sql', 'pregon outbox sql sqlite | sqlite3 app.db'],
  async run({ argument, flags }) {
    const given = argument('DIALECT');
    const dialect = DIALECTS.find((name) => name === given);
    if (!dialect) throw new UsageError(`DIALECT must be ${DIALECTS.join(' or ')}, not "${given}"`);
    await write(migration(dialect, flags.text('table') ?? DEFAULT_TABLE));
    return 0;
  },
};

function migration(dialect: (typeof DIALECTS)[number], table: string): string {
  try {
    return sql(dialect, table);
  } catch (error) {
    // Only the table name can be wrong, and it comes from the user.
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}
