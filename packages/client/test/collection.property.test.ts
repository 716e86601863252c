import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClient } from '../src/client.js';
import type { Collection, JsonObject, Key } from '../src/collection.js';
import { FakeClock } from './support/fake-clock.js';
import { fakeWebSockets } from './support/fake-socket.js';
import { FakeConnectivity } from './support/harness.js';
import { ModelGateway, type Row } from './support/model-gateway.js';

type Step =
  | { readonly do: 'put'; readonly row: Row }
  | { readonly do: 'remove'; readonly id: number }
  | { readonly do: 'deliver'; readonly count: number }
  | { readonly do: 'replace'; readonly rows: readonly Row[] }
  | { readonly do: 'lose' | 'return' | 'truncate' | 'checkpoint' };

const id = fc.integer({ min: 1, max: 6 });
const row = fc.record({ id, value: fc.integer({ min: 0, max: 2 }) });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), row }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), id }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('replace' as const),
      rows: fc.uniqueArray(row, { selector: (value) => value.id }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('lose' as const, 'truncate' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('return' as const, 'checkpoint' as const) }) },
);

/** What an observer alone can know; it checks that each change fits what it was told before. */
function mirror(collection: Collection<JsonObject>): Map<Key, JsonObject> {
  const rows = new Map<Key, JsonObject>();
  collection.observe({
    added(added, key) {
      expect(rows.has(key)).toBe(false);
      rows.set(key, added);
    },
    changed(changed, before, key) {
      expect(rows.get(key)).toBe(before);
      expect(changed).not.toEqual(before);
      rows.set(key, changed);
    },
    removed(removed, key) {
      expect(rows.get(key)).toBe(removed);
      rows.delete(key);
    },
  });
  return rows;
}

function sorted(rows: Iterable<readonly [unknown, unknown]>): unknown[] {
  return [...rows].sort(([a], [b]) => Number(a) - Number(b));
}

async function run(steps: readonly Step[], chunkRows: number): Promise<void> {
  const clock = new FakeClock();
  const gateway = new ModelGateway(chunkRows);
  for (let number = 1; number <= 6; number++) gateway.put(number, 0);
  const made = fakeWebSockets((socket) => gateway.accept(socket));
  const client = createClient({
    url: 'ws://localhost:1/events',
    WebSocket: made.WebSocket,
    clock,
    connectivity: new FakeConnectivity(),
  });
  const errors: unknown[] = [];
  client.on('error', (error) => errors.push(error));
  const collection = client.collection({
    key: 'id',
    change: ({ type, data }) => (type === 'Put' ? { put: data } : { remove: data }),
  });
  const observed = mirror(collection);
  const check = () => {
    expect(sorted(observed)).toEqual(sorted(collection));
    if (collection.position === undefined) return;
    expect(sorted(collection)).toEqual(sorted(gateway.history.get(collection.position) ?? []));
  };
  await clock.advance(0);
  for (const given of steps) {
    await take(given, gateway, clock, check);
    check();
  }
  for (let i = 0; i < 1_000 && !(collection.state === 'live' && gateway.idle); i++) {
    await clock.advance(250);
    gateway.deliver(1);
    check();
  }
  expect(collection.state).toBe('live');
  expect(sorted(collection)).toEqual(sorted(gateway.table));
  expect(errors).toEqual([]);
  client.close();
}

async function take(given: Step, gateway: ModelGateway, clock: FakeClock, check: () => void): Promise<void> {
  switch (given.do) {
    case 'put':
      gateway.put(given.row.id, given.row.value);
      break;
    case 'remove':
      gateway.remove(given.id);
      break;
    case 'deliver':
      for (let i = 0; i < given.count; i++) {
        gateway.deliver(1);
        check();
      }
      break;
    case 'replace':
      gateway.replace(given.rows);
      break;
    case 'return':
      await clock.advance(5_000);
      break;
    case 'lose':
      gateway.lose();
      break;
    case 'truncate':
      gateway.truncate();
      break;
    case 'checkpoint':
      gateway.checkpoint();
      break;
  }
}

describe('a collection under losses, resets and snapshots in chunks', () => {
  it('[I-6][I-2] equals the table at its position at every frame, and so does what its observer builds', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 3 }), run), {
      numRuns: 300,
    });
  });
});
