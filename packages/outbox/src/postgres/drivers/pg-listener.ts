import { toError } from '@pregon/protocol';
import { growingApart } from '../../backoff.js';
import { pause, within } from '../../deadline.js';
import type { Hearing, Listener } from '../database.js';
import { answerWithin } from '../no-answer.js';
import { type TakenClient, takeWithin } from './pg-client.js';
import type { PgPool, PgPoolClient } from './shapes.js';

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5_000;
/** The interval in which a silent connection is checked: routers forget connections that are silent for minutes. */
const ASK_EVERY_MS = 30_000;
/** The time limit for closing a connection. */
const END_MS = 1_000;

/** Keeps one connection of the pool for listening, and takes another one when it is lost. */
export class PgListener implements Listener {
  readonly #pool: PgPool;
  readonly #channel: string;
  readonly #hearing: Hearing;
  readonly #answerMs: number;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  #pid: number | undefined;
  #failures = 0;

  constructor(pool: PgPool, channel: string, hearing: Hearing, answerMs: number) {
    this.#pool = pool;
    this.#channel = channel;
    this.#hearing = hearing;
    this.#answerMs = answerMs;
    this.#ended = this.#run();
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  stop(): Promise<void> {
    this.#stopping.abort();
    return this.#ended;
  }

  async #run(): Promise<void> {
    // A pool without an `error` listener ends the process when an idle client loses its connection. So a restart of the
    // server would end the application.
    const idleClientFailed = (error: Error) => this.#hearing.failed(error);
    this.#pool.on('error', idleClientFailed);
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#listenOn(await takeWithin(this.#answerMs, this.#pool));
      } catch (error) {
        this.#hearing.failed(toError(error));
        await pause(growingApart(FIRST_RETRY_MS, LONGEST_RETRY_MS, this.#failures++), this.#stopping.signal);
      }
    }
    this.#pool.removeListener('error', idleClientFailed);
  }

  /** @throws Error if the connection is lost */
  async #listenOn({ client, free }: TakenClient): Promise<void> {
    const gone = new Promise<void>((resolve) => client.on('end', resolve));
    const lost = new Promise<Error>((resolve) => client.on('error', resolve));
    client.on('notification', ({ payload = '' }) => this.#hearing.heard(payload));
    try {
      await this.#ask(client, `LISTEN "${this.#channel}"`);
      const { rows } = await this.#ask(client, 'SELECT pg_backend_pid() AS pid');
      this.#pid = Number(Reflect.get(Object(rows[0]), 'pid'));
      this.#failures = 0;
      this.#hearing.listening();
      await this.#untilStopped(client, lost);
    } finally {
      this.#pid = undefined;
      // Destroyed, not returned to the pool: it would continue to listen for its next user.
      free(true);
      await within(END_MS, gone, () => undefined);
    }
  }

  async #untilStopped(client: PgPoolClient, lost: Promise<Error>): Promise<void> {
    const { signal } = this.#stopping;
    // Not a race of promises: `lost` stays pending for months and would keep a reference for each race.
    const ended = new AbortController();
    const end = () => ended.abort();
    let error: Error | undefined;
    void lost.then((why) => {
      error = why;
      end();
    });
    signal.addEventListener('abort', end, { once: true });
    try {
      while (!signal.aborted) {
        await pause(ASK_EVERY_MS, ended.signal);
        if (error !== undefined) throw error;
        if (!signal.aborted) await this.#ask(client, 'SELECT 1');
      }
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  #ask(client: PgPoolClient, text: string): Promise<{ readonly rows: unknown[] }> {
    return answerWithin(this.#answerMs, client.query(text));
  }
}
