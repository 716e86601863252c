import { createPostgresOutbox, type PostgresOutbox, type RelayLogger } from '@pregon/outbox';
import { messageOf, PregonError } from '@pregon/protocol';
import { hidePassword } from '../../addresses.js';
import { SOURCE } from '../../names.js';
import { userEvents } from '../../users/events.js';
import { type Database, type DatabaseOptions, figuresOf, healthOf } from '../database.js';
import { Connections } from './connections.js';
import { migrate } from './schema.js';
import { troubleOf } from './trouble.js';
import { countUsers, createPostgresUsers, selectUsers } from './users.js';

/**
 * Connects to the database of a URL, waits until it answers, and brings its tables up to date.
 *
 * @throws PregonError CONFIG_INVALID if it refuses for good, as for a wrong password or a missing database
 */
export async function openPostgres(url: string, options: DatabaseOptions): Promise<Database> {
  const name = hidePassword(url);
  const connections = new Connections(url, { name, say: options.say, logError: options.logError });
  try {
    return databaseOf(connections, await prepare(connections), { ...options, name });
  } catch (error) {
    await connections.close();
    const message = `${name} cannot be used: ${messageOf(error)}. See DATABASE_URL.`;
    throw new PregonError('CONFIG_INVALID', message, { cause: error });
  }
}

function prepare(connections: Connections): Promise<PostgresOutbox> {
  return connections.availability.until(async () => {
    const id = await connections.transact(migrate);
    const outbox = createPostgresOutbox({ source: `${SOURCE}/${id}` });
    await outbox.migrate(connections.pool);
    return outbox;
  }, 'The application waits for it, and retries at intervals of up to 5 s.');
}

function databaseOf(
  connections: Connections,
  outbox: PostgresOutbox,
  { name, exchange, say, logError }: DatabaseOptions & { readonly name: string },
): Database {
  const onError = (error: Error) => {
    const isOutage = troubleOf(error) === 'unreachable';
    if (isOutage) connections.lost(error);
    else logError(error);
  };
  return {
    kind: 'PostgreSQL',
    name,
    users: createPostgresUsers({ connections, outbox, events: userEvents(exchange) }),
    snapshotOfUsers: () => connections.answering(() => outbox.snapshot(connections.pool, selectUsers)),
    figures: async () => figuresOf(await connections.answering(() => outbox.snapshot(connections.pool, countUsers))),
    relay(log) {
      const relay = outbox.relay({ db: connections.relayPool, log, onError, logger: sayingOnly(say) });
      return {
        start: () => relay.start(),
        stop: () => relay.stop(),
        health: () => connections.answering(() => healthOf(relay)),
      };
    },
    close: () => connections.close(),
  };
}

/** A logger without warnings and errors, because `onError` reports these too. */
function sayingOnly(say: (line: string) => void): RelayLogger {
  return { info: (_details, message) => say(message), warn() {}, error() {} };
}
