import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from 'pregon';
import { onTestFinished } from 'vitest';
import { startApplication } from '../../src/application.js';
import { openDatabase } from '../../src/database.js';

/** What an event in the log says, as far as these tests ask. */
export interface LoggedEvent {
  readonly type: string;
  readonly topic: string;
  readonly exchange: string;
  readonly subject: string;
  readonly source: string;
  readonly data: unknown;
}

/** The application on a free port, with a database and a log of its own; ends with the test. */
export async function startForTest() {
  const folder = mkdtempSync(join(tmpdir(), 'pregon-auction-'));
  const databaseFile = join(folder, 'auction.db');
  const log = `sqlite:${join(folder, 'pregon.db')}`;
  const errors: unknown[] = [];
  const application = await startApplication(
    { host: '127.0.0.1', port: 0, gatewayPort: 4321, databaseFile, log },
    (error) => errors.push(error),
  );
  let isOpen = true;
  const close = async () => {
    if (isOpen) await application.close();
    isOpen = false;
  };
  onTestFinished(async () => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${application.port}`;
  return {
    url,
    errors,
    close,
    request: (path: string, options?: RequestInit) => fetch(url + path, options),
    put: (id: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(`${url}/users/${id}`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    /** Runs SQL beside the application, as somebody with the `sqlite3` shell would. */
    sql(text: string): void {
      const db = openDatabase(databaseFile);
      db.exec(text);
      db.close();
    },
    /** Ends the application, which relays what it committed, and reads all that the log holds. */
    async eventsInTheEnd(): Promise<LoggedEvent[]> {
      await untilRelayed(url);
      await close();
      return readLog(log);
    },
  };
}

async function untilRelayed(url: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const health = await (await fetch(`${url}/health`)).json();
    if (health.pending === 0) return;
    if (Date.now() > deadline) throw new Error(`still not relayed: ${JSON.stringify(health)}`);
  }
}

async function readLog(name: string): Promise<LoggedEvent[]> {
  const log = await openLog(name);
  try {
    const { entries } = await log.read({ after: (await log.floor()).offset });
    return entries.map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)));
  } finally {
    await log.close();
  }
}
