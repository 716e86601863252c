import type { Hearing, Listener } from './database.js';
import { take } from './pg.js';
import type { PgPool, PgPoolClient } from './shapes.js';
import { pause, within } from './waiting.js';

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5_000;
/** How often a connection that says nothing is asked whether it is still there: routers forget those that are silent for minutes. */
const ASK_EVERY_MS = 30_000;
/** How long the end of a connection may take. */
const END_MS = 1_000;

/** Keeps one connection of the pool for listening, and takes another one when it is lost. */
export function listenOnPg(pool: PgPool, channel: string, hearing: Hearing, answerMs: number): Listener {
  const stopping = new AbortController();
  let pid: number | undefined;
  // The pool ends the process where one of its idle clients loses its connection and nobody listens: a restart of the server would
  // be the end of the application.
  const idleClientFailed = (error: Error) => hearing.failed(error);
  pool.on('error', idleClientFailed);

  async function listenUntilLost(client: PgPoolClient, lost: Promise<Error>): Promise<void> {
    const ask = (text: string) => within(answerMs, client.query(text));
    await ask(`LISTEN "${channel}"`);
    const { rows } = await ask('SELECT pg_backend_pid() AS pid');
    pid = Number(Reflect.get(Object(rows[0]), 'pid'));
    hearing.listening();
    while (!stopping.signal.aborted) {
      const error = await Promise.race([lost, pause(ASK_EVERY_MS, stopping.signal)]);
      if (error !== undefined) throw error;
      if (!stopping.signal.aborted) await ask('SELECT 1');
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      try {
        await withListener(await take(pool, answerMs), hearing, async (client, lost) => {
          failures = 0;
          await listenUntilLost(client, lost);
        });
      } catch (error) {
        pid = undefined;
        hearing.failed(error instanceof Error ? error : new Error(String(error)));
        const ms = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures++, 20));
        await pause(ms / 2 + (Math.random() * ms) / 2, stopping.signal);
      }
    }
    pool.removeListener('error', idleClientFailed);
  }

  const ended = run();
  return {
    get pid() {
      return pid;
    },
    stop() {
      stopping.abort();
      return ended;
    },
  };
}

async function withListener(
  client: PgPoolClient,
  hearing: Hearing,
  work: (client: PgPoolClient, lost: Promise<Error>) => Promise<void>,
): Promise<void> {
  let end: (error: Error) => void = () => {};
  const lost = new Promise<Error>((resolve) => (end = resolve));
  const gone = new Promise<void>((resolve) => client.on('end', resolve));
  client.on('error', end);
  client.on('notification', ({ payload = '' }) => hearing.heard(payload));
  try {
    await work(client, lost);
  } finally {
    // Destroyed, not handed back: it would go on to listen for whoever takes it next.
    client.release(true);
    await Promise.race([gone, pause(END_MS, new AbortController().signal)]);
  }
}
