import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createOutbox } from '@pregon/outbox';
import { openLog } from 'pregon';
import { createApp } from './app.js';
import { closeDatabase, openDatabase } from './database.js';
import { ROUTE, SOURCE } from './names.js';
import type { Settings } from './settings.js';
import { createUserStore } from './users/store.js';

/** How long requests under way may take when the application ends. */
const FINISH_MS = 5_000;

export interface RunningApplication {
  readonly port: number;
  /** Takes no more requests, finishes those under way, and frees all, in the order in which one needs the other. */
  close(): Promise<void>;
}

/** Opens the database and the log, starts the relay between them, and listens. */
export async function startApplication(
  settings: Pick<Settings, 'host' | 'port' | 'gatewayPort' | 'databaseFile' | 'log'>,
  logError: (error: unknown) => void,
): Promise<RunningApplication> {
  const db = openDatabase(settings.databaseFile);
  const outbox = createOutbox({ source: SOURCE });
  outbox.migrate(db);
  const log = await openLog(settings.log);
  const relay = outbox.relay({ db, log, onError: logError });
  const users = createUserStore({ db, outbox });

  const server = createServer(
    createApp({
      users,
      snapshotOfUsers: () => outbox.snapshot(db, () => users.list()),
      health: () => ({ relay: relay.state, pending: relay.pending(), lagMs: relay.lagMs() }),
      page: { gatewayPort: settings.gatewayPort, gatewayPath: ROUTE.path },
      logError,
    }),
  );

  const free = async () => {
    await relay.stop();
    await log.close();
    closeDatabase(db);
  };
  try {
    relay.start();
    server.listen(settings.port, settings.host);
    await once(server, 'listening');
  } catch (error) {
    await free();
    throw error;
  }
  return {
    port: portOf(server),
    async close() {
      await finishRequests(server);
      await free();
    },
  };
}

async function finishRequests(server: Server): Promise<void> {
  const closed = once(server, 'close');
  const impatient = setTimeout(() => server.closeAllConnections(), FINISH_MS);
  // `close` ends the connections that are idle now; one that is answered later would be kept alive for the next request.
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
