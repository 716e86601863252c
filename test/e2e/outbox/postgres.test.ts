import { setTimeout as delay } from 'node:timers/promises';
import { decodeSequence } from '@pregon/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApplicationProcess, Applications } from '../../support/outbox/postgres-applications.js';
import { replay } from '../../support/outbox/versioned-items.js';
import { describeWithOwnPostgres, type PostgresServer, startPostgres } from '../../support/postgres.js';
import { eventually } from '../../support/waiting.js';

const LEASE_MS = 2_000;

describeWithOwnPostgres('Applications with an outbox on PostgreSQL', () => {
  let server: PostgresServer;
  let apps: Applications;

  beforeAll(async () => {
    server = await startPostgres();
  });

  afterAll(() => server?.remove());

  afterEach(() => apps.close());

  const createWith =
    (log: 'file' | 'memory', leaseMs = LEASE_MS) =>
    async () => {
      apps = new Applications(server.url, { leaseMs, log });
      await apps.create();
    };
  const writing = () => apps.start('write').begun();
  const logged = async () => (await apps.loggedEvents()).length;

  async function expectLogEqualsTable(): Promise<void> {
    expect(await apps.start('drain').ended()).toEqual({ code: 0, signal: null });
    const events = await apps.loggedEvents();
    expect(events.map(({ sequence }) => decodeSequence(sequence ?? ''))).toEqual(events.map((_, i) => i + 1));
    expect(replay(events)).toEqual(await apps.items());
    expect(await apps.outboxIds()).toEqual([]);
  }

  /** Waits until the log grows, and returns how long that took. */
  async function nextEventMs(): Promise<number> {
    const before = await logged();
    const startedAt = performance.now();
    await eventually(logged, (count) => count > before);
    return performance.now() - startedAt;
  }

  describe('An application that is killed', () => {
    beforeEach(createWith('file'));

    it('[I-1] [I-3] [I-5] relays exactly the committed events, in order and once, whichever process is killed at any instant', async () => {
      let notYetLogged = 0;
      let loggedAndNotRemoved = 0;
      let survivor = await writing();
      for (let round = 0; round < 5; round++) {
        const other = await writing();
        await delay(Math.random() * 150);
        await survivor.kill();
        survivor = other;
        const left = await apps.outboxIds();
        const ids = new Set((await apps.loggedEvents()).map(({ id }) => id));
        notYetLogged += left.filter((id) => !ids.has(id)).length;
        loggedAndNotRemoved += left.filter((id) => ids.has(id)).length;
      }
      await survivor.kill();
      // Otherwise the kills would have missed the instants that matter.
      expect(notYetLogged).toBeGreaterThan(0);
      expect(loggedAndNotRemoved).toBeGreaterThan(0);
      await expectLogEqualsTable();
      expect(await logged()).toBeGreaterThan(100);
    });

    it('[I-5] relays an event of a process that is killed right after the commit, but not right before it', async () => {
      for (const mode of [
        'kill-before-commit',
        'kill-after-commit',
        'kill-before-commit',
        'kill-after-commit',
      ] as const) {
        expect(await apps.start(mode).ended()).toMatchObject({ signal: 'SIGKILL' });
      }
      expect(await apps.items()).toEqual(new Map([[1, 2]]));
      await expectLogEqualsTable();
    });

    it('[I-3] stores once the events that it had appended but not removed', async () => {
      expect(await apps.start('kill-after-append').ended()).toMatchObject({ signal: 'SIGKILL' });
      expect((await apps.loggedEvents()).map(({ id }) => id)).toEqual(await apps.outboxIds());
      expect(await logged()).toBe(5);
      await expectLogEqualsTable();
      expect(await logged()).toBe(5);
    });
  });

  describe('A relay that stands by', () => {
    beforeEach(createWith('memory'));

    /** Starts two processes that write; the relay of the first one is active, that of the second stands by. */
    async function rolesOf(one: ApplicationProcess, other: ApplicationProcess): Promise<ApplicationProcess[]> {
      const states = await eventually(
        () => Promise.all([one.state(), other.state()]),
        (both) => both.filter((state) => state === 'standby').length === 1,
      );
      return states[0] === 'standby' ? [other, one] : [one, other];
    }

    /** How long after `happening` the standby relay is active and the log grows again. */
    async function takeoverMs(standingBy: ApplicationProcess | undefined, happening: () => unknown): Promise<number> {
      await nextEventMs();
      const startedAt = performance.now();
      await happening();
      await eventually(
        () => standingBy?.state(),
        (state) => state !== 'standby',
      );
      await nextEventMs();
      return performance.now() - startedAt;
    }

    it('[I-2] takes over from a killed relay as soon as its connection ends, well within the lease', async () => {
      await apps.close();
      await createWith('memory', 50_000)();
      const [atWork, standingBy] = await rolesOf(await writing(), await writing());
      expect(await takeoverMs(standingBy, () => atWork?.kill())).toBeLessThan(40_000);
      await apps.killAll();
      await expectLogEqualsTable();
    });

    it('[I-1] [I-2] [I-3] takes over from a frozen relay within twice the lease, and is not disturbed when the frozen relay resumes', async () => {
      const both = [await writing(), await writing()] as const;
      for (let round = 0; round < 2; round++) {
        const [atWork, standingBy] = await rolesOf(...both);
        const ms = await takeoverMs(standingBy, () => atWork?.child.kill('SIGSTOP'));
        expect(ms).toBeLessThan(20 * LEASE_MS);
        atWork?.child.kill('SIGCONT');
        await rolesOf(...both);
        await nextEventMs();
      }
      await apps.killAll();
      await expectLogEqualsTable();
    });
  });

  describe('A server that is restarted', () => {
    beforeEach(createWith('memory'));

    it.each(['stop', 'kill'] as const)(
      '[I-2] [I-5] by a %s costs no event: relays and writers go on by themselves',
      async (how) => {
        const all = [await writing(), await writing(), await apps.start('relay').begun()];
        for (let round = 0; round < 2; round++) {
          await nextEventMs();
          await server[how]();
          await delay(Math.random() * 500);
          await server.start();
          await nextEventMs();
        }
        expect(all.map(({ isRunning }) => isRunning)).toEqual([true, true, true]);
        // Otherwise the server would have been back before its absence was noticed.
        expect(all.flatMap(({ writerErrors }) => writerErrors).length).toBeGreaterThan(0);
        await apps.killAll();
        await expectLogEqualsTable();
      },
    );
  });
});
