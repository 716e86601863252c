import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPostgresOutbox } from '@pregon/outbox';
import { assertEvent, type PregonEvent } from '@pregon/protocol';
import pg from 'pg';
import { openLog } from 'pregon';
import { eventually } from '../waiting.js';
import { FaultyLog } from './faulty-log.js';

const PROGRAM = fileURLToPath(new URL('./postgres-application.mjs', import.meta.url));

export type Mode =
  | 'write'
  | 'relay'
  | 'snapshot'
  | 'drain'
  | 'kill-before-commit'
  | 'kill-after-commit'
  | 'kill-after-append';

/** A process of the application. */
export class ApplicationProcess {
  readonly child: ChildProcess;
  /** The errors that it reported. */
  readonly relayErrors: string[] = [];
  readonly writerErrors: string[] = [];
  /** The sequences of its snapshots. */
  readonly snapshots: number[] = [];
  #said = '';

  /** @param log stores the batches of a process that has no log of its own */
  constructor(args: readonly string[], log: FaultyLog) {
    this.child = fork(PROGRAM, args);
    this.child.on('message', (message) => {
      const told = Object(message);
      if (typeof message === 'string') this.#said = message;
      if ('error' in told) this.relayErrors.push(String(told.error));
      if ('snapshot' in told) this.snapshots.push(Number(told.snapshot));
      if ('writer' in told) this.writerErrors.push(String(told.writer));
      if ('events' in told) void log.append(told.events).then(() => this.#tell({ appended: told.batch }));
    });
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async begun(): Promise<this> {
    await eventually(
      () => this.#said,
      (said) => said !== '' || !this.isRunning,
    );
    if (!this.isRunning) throw new Error(`the application ended: ${this.child.exitCode ?? this.child.signalCode}`);
    return this;
  }

  /** The state of its relay. */
  async state(): Promise<string> {
    const answer = new Promise<string>((resolve) => {
      const heard = (message: unknown) => {
        const { state } = Object(message);
        if (typeof state !== 'string') return;
        this.child.removeListener('message', heard);
        resolve(state);
      };
      this.child.on('message', heard);
    });
    this.#tell('state');
    return answer;
  }

  #tell(message: string | object): void {
    // A process that was killed in the meantime needs no message.
    if (this.child.connected) this.child.send(message, () => {});
  }

  async ended(): Promise<{ code: unknown; signal: unknown }> {
    if (this.isRunning) await once(this.child, 'exit');
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }

  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}

export interface ApplicationsOptions {
  readonly leaseMs: number;
  /** @default the default of the outbox */
  readonly answerTimeoutMs?: number;
  /**
   * `file`: a SQLite log that the processes open themselves. `memory`: a log in the memory of the test, which no
   * process can hold locked, unlike a SQLite file in a frozen process.
   */
  readonly log: 'file' | 'memory';
}

/** The processes of one application, their database, and the log that they share. */
export class Applications {
  readonly #url: string;
  readonly #options: ApplicationsOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'pregon-outbox-'));
  readonly #file = join(this.#folder, 'log.db');
  readonly #memory = new FaultyLog();
  readonly #processes: ApplicationProcess[] = [];

  constructor(url: string, options: ApplicationsOptions) {
    this.#url = url;
    this.#options = options;
  }

  /** Starts with an empty database. */
  async create(): Promise<void> {
    await this.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    await this.query('CREATE TABLE items (key bigint PRIMARY KEY, version integer NOT NULL)');
    const pool = new pg.Pool({ connectionString: this.#url });
    await createPostgresOutbox({ source: '/items' }).migrate(pool);
    await pool.end();
  }

  /** @param maxConnections the maximum of its pool */
  start(mode: Mode, { maxConnections = 10 } = {}): ApplicationProcess {
    const { leaseMs, log, answerTimeoutMs } = this.#options;
    const file = log === 'file' ? this.#file : 'parent';
    const args = [this.#url, file, mode, String(leaseMs), String(maxConnections)];
    if (answerTimeoutMs !== undefined) args.push(String(answerTimeoutMs));
    const started = new ApplicationProcess(args, this.#memory);
    this.#processes.push(started);
    return started;
  }

  async query(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.#url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** The versions of the items in the table. */
  async items(): Promise<Map<number, number>> {
    const rows = await this.query('SELECT key, version FROM items');
    return new Map(rows.map(({ key, version }) => [Number(key), Number(version)]));
  }

  /** The ids of committed events that are still in the outbox, numbered or not. */
  async outboxIds(): Promise<string[]> {
    const rows = await this.query(`SELECT event::json ->> 'id' AS id FROM (
      SELECT event FROM pregon_outbox UNION ALL SELECT event FROM pregon_outbox_numbered) rows`);
    return rows.map(({ id }) => String(id));
  }

  /** How many events were appended again, after a takeover or a lost answer. Only the log in memory knows. */
  get repetitions(): number {
    return this.#memory.repetitions;
  }

  async loggedEvents(): Promise<readonly PregonEvent[]> {
    if (this.#options.log === 'memory') return this.#memory.events;
    const log = await openLog(`sqlite:${this.#file}`);
    try {
      const events: PregonEvent[] = [];
      let after = (await log.floor()).offset;
      for (;;) {
        const page = await log.read({ after });
        for (const { payload } of page.entries) {
          const event: unknown = JSON.parse(new TextDecoder().decode(payload));
          assertEvent(event);
          events.push(event);
        }
        if (page.through.offset === after) return events;
        after = page.through.offset;
      }
    } finally {
      await log.close();
    }
  }

  async killAll(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((process) => process.kill()));
  }

  async close(): Promise<void> {
    await this.killAll();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
