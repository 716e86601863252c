import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from 'pregon';
import { onTestFinished } from 'vitest';
import { eventually } from '../../../../test/support/waiting.js';
import { startApplication } from '../../src/application.js';
import type { CreateDatabase, TestDatabase } from './databases.js';

/** The attributes of an event in the log that these tests check. */
export interface LoggedEvent {
  readonly type: string;
  readonly topic: string;
  readonly exchange: string;
  readonly subject: string;
  readonly source: string;
  readonly data: unknown;
}

/** What several applications of one test share. */
export interface Place {
  readonly database: TestDatabase;
  readonly log: string;
}

/** An empty database, and a log for the test. */
export async function createPlace(create: CreateDatabase): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'pregon-users-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { database: await create(folder), log: `sqlite:${join(folder, 'pregon.db')}` };
}

export type TestApplication = Awaited<ReturnType<typeof startAt>>;

export async function startForTest(create: CreateDatabase): Promise<TestApplication> {
  return startAt(await createPlace(create));
}

/**
 * The application on a free port; ends with the test.
 *
 * @param said receives what the application prints while it starts and afterwards
 */
export async function startAt({ database, log }: Place, said: string[] = []) {
  const errors: unknown[] = [];
  const application = await startApplication(
    { host: '127.0.0.1', port: 0, gatewayPort: 4321, ...database.settings, log, exchange: 'my_events' },
    { logError: (error) => errors.push(error), say: (line) => said.push(line) },
  );
  let isOpen = true;
  const close = async () => {
    if (isOpen) await application.close();
    isOpen = false;
  };
  onTestFinished(close);
  const url = `http://127.0.0.1:${application.port}`;
  const health = async () => (await fetch(`${url}/health`)).json();
  return {
    url,
    errors,
    said,
    close,
    database,
    health,
    request: (path: string, options?: RequestInit) => fetch(url + path, options),
    put: (id: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(`${url}/users/${id}`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    /** Ends the application, which relays its committed events, and reads the whole log. */
    async eventsInTheEnd(): Promise<LoggedEvent[]> {
      await eventually(health, ({ pending }) => pending === 0);
      await close();
      return readLog(log);
    },
  };
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
