import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PregonError } from '@pregon/protocol';
import fc from 'fast-check';
import Database from 'libsql';
import { expect, it, vi } from 'vitest';
import { byLength } from '../../../test/support/long.js';
import { FaultyLog } from '../../../test/support/outbox/faulty-log.js';
import { createSqliteOutbox, type Relay } from '../src/index.js';

/** The steps of an application with an outbox; `count` events at a time. */
type Step =
  | { readonly kind: 'commit' | 'rollBack' | 'rollBackInside' | 'commitElsewhere'; readonly count: number }
  | { readonly kind: 'logFails' | 'crash'; readonly stored: number }
  | { readonly kind: 'drain' | 'yield' | 'snapshot' };

const count = fc.integer({ min: 1, max: 4 });
const stored = fc.integer({ min: 0, max: 4 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('commit', 'rollBack', 'rollBackInside', 'commitElsewhere'), count }),
    fc.record({ kind: fc.constantFrom('logFails', 'crash'), stored }),
    fc.record({ kind: fc.constantFrom('drain', 'yield', 'snapshot') }),
  ),
  { minLength: 1, maxLength: 25 },
);

/** An application on one database, and the events that it must have emitted. */
class Application {
  readonly committed: string[] = [];
  readonly log = new FaultyLog();
  readonly #outbox = createSqliteOutbox({ source: '/app' });
  readonly #path: string;
  #db: Database.Database;
  #relay: Relay;

  constructor(path: string) {
    this.#path = path;
    this.#db = this.#open();
    this.#outbox.migrate(this.#db);
    this.#db.exec('CREATE TABLE rows (id TEXT NOT NULL)');
    this.#relay = this.#startRelay();
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'commit':
        this.committed.push(...this.#transact(this.#db, () => this.#write(this.#db, step.count)));
        break;
      case 'commitElsewhere': {
        const other = this.#open();
        this.committed.push(...this.#transact(other, () => this.#write(other, step.count)));
        other.close();
        break;
      }
      case 'rollBack':
        this.#db.exec('BEGIN');
        this.#write(this.#db, step.count);
        this.#db.exec('ROLLBACK');
        break;
      case 'rollBackInside':
        this.committed.push(...this.#transact(this.#db, () => this.#writeAroundSavepoint(step.count)));
        break;
      case 'logFails':
        this.log.failNext(new PregonError('LOG_UNAVAILABLE', 'not now'), step.stored);
        break;
      case 'crash':
        await this.#crash(step.stored);
        break;
      case 'drain':
        await this.drain();
        break;
      case 'yield':
        await new Promise((resolve) => setImmediate(resolve));
        break;
      case 'snapshot':
        this.#checkSnapshot();
    }
  }

  async drain(): Promise<void> {
    await vi.waitFor(() => expect(this.#relay.pending()).toBe(0), { timeout: 60_000, interval: 1 });
  }

  async end(): Promise<void> {
    await this.#relay.stop();
    this.#db.close();
  }

  #open(): Database.Database {
    const db = new Database(this.#path, { timeout: 2_000 });
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
    return db;
  }

  #startRelay(): Relay {
    const log = this.log;
    const relay = this.#outbox.relay({ db: this.#db, log, batchSize: 3, pollIntervalMs: 5, onError: () => {} });
    relay.start();
    return relay;
  }

  /** Ends the relay like a killed process: a part of a batch is stored, but the append never resolves. */
  async #crash(storedThen: number): Promise<void> {
    const { log } = this;
    const batch = new Promise<void>((resolve) => {
      log.beforeAppend = (events) => {
        log.beforeAppend = () => {};
        resolve(log.append(events.slice(0, storedThen)).catch(() => {}));
        return new Promise(() => {});
      };
    });
    this.committed.push(...this.#transact(this.#db, () => this.#write(this.#db, 1)));
    await batch;
    this.#db.close();
    this.#db = this.#open();
    this.#relay = this.#startRelay();
  }

  #transact(db: Database.Database, work: () => string[]): string[] {
    db.exec('BEGIN IMMEDIATE');
    const ids = work();
    db.exec('COMMIT');
    return ids;
  }

  #write(db: Database.Database, howMany: number): string[] {
    return Array.from({ length: howMany }, () => {
      const { id } = this.#outbox.add(db, { exchange: 'e', topic: 't', type: 'T' });
      db.prepare('INSERT INTO rows (id) VALUES (?)').run(id);
      return id;
    });
  }

  #writeAroundSavepoint(howMany: number): string[] {
    const before = this.#write(this.#db, howMany);
    this.#db.exec('SAVEPOINT inside');
    this.#write(this.#db, howMany);
    this.#db.exec('ROLLBACK TO inside; RELEASE inside');
    return [...before, ...this.#write(this.#db, 1)];
  }

  #checkSnapshot(): void {
    const { rows, sequence, relayed } = this.#outbox.snapshot(this.#db, (db) =>
      db.prepare('SELECT id FROM rows').all(),
    );
    expect(rows).toMatchObject(this.committed.map((id) => ({ id })));
    expect(sequence).toBe(this.committed.length);
    expect(this.log.ids.length).toBeGreaterThanOrEqual(relayed);
  }
}

it('[I-1] [I-3] [I-5] [I-6] the log holds the committed events, in order and once, whatever fails on the way', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pregon-outbox-'));
  let run = 0;
  try {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const application = new Application(join(folder, `${run++}.db`));
        try {
          for (const step of history) await application.take(step);
          await application.drain();
          expect(application.log.ids).toEqual(application.committed);
          expect(application.log.events.map((event) => Number(event.sequence))).toEqual(
            application.committed.map((_, i) => i + 1),
          );
        } finally {
          await application.end();
        }
      }),
      { numRuns: byLength({ quick: 25, check: 60, long: 600 }) },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
