import { setTimeout as delay } from 'node:timers/promises';
import { createPostgresOutbox } from '@pregon/outbox';
import { decodeSequence } from '@pregon/protocol';
import { expect, it } from 'vitest';
import { FaultyLog } from '../../support/outbox/faulty-log.js';
import { POSTGRES_DRIVERS } from '../../support/outbox/postgres-drivers.js';
import { replay, VersionedItems } from '../../support/outbox/versioned-items.js';
import { describeWithPostgres } from '../../support/postgres.js';
import { eventually } from '../../support/waiting.js';

const WRITERS = 20;
const WRITING_MS = 4_000;

for (const driver of POSTGRES_DRIVERS) {
  await describeWithPostgres(
    `20 concurrent writers by ${driver.name}, with some transactions open for seconds,`,
    (url) => {
      it('[I-1] [I-5] [I-6] lose no event, keep the events of one row in order, and every snapshot fits the events after it', async () => {
        const connections = driver.open(url(), { max: WRITERS + 6 });
        const outbox = createPostgresOutbox({ source: '/items' });
        const items = new VersionedItems(connections, outbox);
        const log = new FaultyLog();
        const errors: Error[] = [];
        const relay = outbox.relay({ db: connections.pool, log, onError: (error) => errors.push(error) });
        const stopping = new AbortController();
        try {
          await items.create();
          relay.start();
          const writers = Array.from({ length: WRITERS }, () => items.writeUntil(stopping.signal));
          const snapshots: Awaited<ReturnType<typeof items.snapshot>>[] = [];
          const end = performance.now() + WRITING_MS;
          // Chance, or a busy machine, may need longer for what the test is about.
          const isEnough = () =>
            new Set(snapshots.map(({ sequence }) => sequence)).size > 5 &&
            items.counts.held > 0 &&
            items.counts.rolledBack > 0;
          while (performance.now() < end || !isEnough()) {
            snapshots.push(await items.snapshot());
            await delay(10);
          }
          stopping.abort();
          await Promise.all(writers);
          const table = await items.snapshot();
          await eventually(
            () => log.events.length,
            (count) => count === table.sequence,
          );

          const { events } = log;
          expect(events.map(({ sequence }) => decodeSequence(sequence ?? ''))).toEqual(events.map((_, i) => i + 1));
          expect(replay(events)).toEqual(table.items);
          for (const { sequence, relayed, items: rows } of snapshots) {
            expect(relayed).toBeLessThanOrEqual(sequence);
            expect(rows).toEqual(replay(events.slice(0, sequence)));
            expect(replay(events.slice(sequence), rows)).toEqual(table.items);
          }
          expect(errors).toEqual([]);
          // Otherwise nothing was proven.
          expect(new Set(snapshots.map(({ sequence }) => sequence)).size).toBeGreaterThan(5);
          expect(items.counts.held).toBeGreaterThan(0);
          expect(items.counts.rolledBack).toBeGreaterThan(0);
        } finally {
          stopping.abort();
          await relay.stop();
          await connections.close();
        }
      });
    },
  );
}
