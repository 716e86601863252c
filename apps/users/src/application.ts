import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type Log, openLog } from 'pregon';
import { createApp } from './app.js';
import { openDatabase } from './database/open.js';
import { ROUTE } from './names.js';
import type { Settings } from './settings.js';
import { statusReader } from './status.js';

/** How long pending requests may take when the application stops. */
const FINISH_MS = 5_000;

export interface RunningApplication {
  readonly port: number;
  /**
   * Accepts no more requests, finishes the pending ones, and releases all resources in the order of their dependencies.
   */
  close(): Promise<void>;
}

/** How the application reports what happens. */
export interface Watcher {
  /** Prints a line: what the application waits for, and when the wait is over. */
  readonly say: (line: string) => void;
  readonly logError: (error: unknown) => void;
}

type ApplicationSettings = Pick<
  Settings,
  'host' | 'port' | 'gatewayPort' | 'databaseUrl' | 'databaseFile' | 'log' | 'exchange'
> & {
  /** The command that restarts the gateway with these settings; the page shows it. @default 'npm run gateway' */
  readonly gatewayCommand?: string;
};

/**
 * Opens the database and the log, starts the relay between them, and listens. Waits for a server that is not available
 * yet.
 *
 * @throws PregonError CONFIG_INVALID if one of them can never be used with these settings
 */
export async function startApplication(settings: ApplicationSettings, watcher: Watcher): Promise<RunningApplication> {
  const { exchange, host, gatewayPort, gatewayCommand = 'npm run gateway' } = settings;
  // Resources to release, in reverse order.
  const held: (() => Promise<void>)[] = [];
  const free = async () => {
    for (const release of held.splice(0).reverse()) await release();
  };
  try {
    const database = await openDatabase(settings, { exchange, ...watcher });
    held.push(() => database.close());
    const log = await openEventLog(settings, watcher);
    held.push(() => log.close());
    const relay = database.relay(log);
    relay.start();
    held.push(() => relay.stop());
    const server = createServer(
      createApp({
        users: database.users,
        snapshotOfUsers: () => database.snapshotOfUsers(),
        health: () => relay.health(),
        status: statusReader({ database, log: settings.log, gatewayCommand }),
        page: { gatewayPort, gatewayPath: ROUTE.path },
        logError: watcher.logError,
      }),
    );
    server.listen(settings.port, host);
    await once(server, 'listening');
    held.push(() => finishRequests(server));
    return { port: portOf(server), close: free };
  } catch (error) {
    await free();
    throw error;
  }
}

function openEventLog({ log, exchange }: ApplicationSettings, { say }: Watcher): Promise<Log> {
  return openLog(log, {
    exchanges: [exchange],
    onWarning: ({ message }) => say(message),
    onState(now) {
      if (now.state === 'connected') say(`RabbitMQ at ${now.broker} answers.`);
      else say(`RabbitMQ at ${now.broker} does not answer: ${now.error.message}. Committed events wait in the outbox.`);
    },
  });
}

async function finishRequests(server: Server): Promise<void> {
  const closed = once(server, 'close');
  const impatient = setTimeout(() => server.closeAllConnections(), FINISH_MS);
  // `close` ends only the connections that are idle now. One that is answered later would stay open for the next
  // request.
  const tidy = setInterval(() => server.closeIdleConnections(), 20);
  server.close();
  await closed;
  clearTimeout(impatient);
  clearInterval(tidy);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the server does not listen on a port');
  return address.port;
}
