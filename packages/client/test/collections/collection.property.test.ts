import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLong } from '../../../../test/support/long.js';
import { createClient } from '../../src/client.js';
import type { Collection, Key, RowChange } from '../../src/rows/collection.js';
import { FakeClock } from '../support/fake-clock.js';
import { fakeWebSockets } from '../support/fake-socket.js';
import { FakeConnectivity } from '../support/harness.js';
import { ModelGateway, type Row, type SnapshotFault, type Writing } from '../support/model-gateway.js';

/** The total number of steps, over many runs of at most `MAX_STEPS` each. */
const STEPS = isLong ? 100_000 : 4_000;
const MAX_STEPS = 120;

type Step =
  | { readonly do: 'put'; readonly row: Row; readonly writing: Writing }
  | { readonly do: 'remove'; readonly id: number; readonly writing: Writing }
  | {
      readonly do: 'change';
      readonly rows: readonly Row[];
      readonly removed: readonly number[];
      readonly writing: Writing;
    }
  | { readonly do: 'repeat'; readonly id: number }
  | { readonly do: 'deliver'; readonly count: number }
  | { readonly do: 'replace'; readonly rows: readonly Row[] }
  | { readonly do: 'snapshots'; readonly fault: SnapshotFault }
  | { readonly do: 'changeThrows'; readonly times: number }
  | { readonly do: 'lose' | 'return' | 'truncate' | 'checkpoint' };

const id = fc.integer({ min: 1, max: 6 });
const row = fc.record({ id, value: fc.integer({ min: 0, max: 2 }) });
const writing = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Writing>('plain') },
  { weight: 3, arbitrary: fc.constant<Writing>('string') },
  { weight: 1, arbitrary: fc.constant<Writing>('broken') },
);

const named = <Do extends Step['do']>(name: Do) => ({ do: fc.constant(name) });

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ ...named('put'), row, writing }) },
  { weight: 3, arbitrary: fc.record({ ...named('remove'), id, writing }) },
  {
    weight: 3,
    arbitrary: fc.record({
      ...named('change'),
      rows: fc.array(row, { maxLength: 3 }),
      removed: fc.array(id, { maxLength: 3 }),
      writing,
    }),
  },
  { weight: 1, arbitrary: fc.record({ ...named('repeat'), id }) },
  { weight: 8, arbitrary: fc.record({ ...named('deliver'), count: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ ...named('replace'), rows: fc.uniqueArray(row, { selector: (value) => value.id }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ ...named('snapshots'), fault: fc.constantFrom('broken', 'refused', undefined, undefined) }),
  },
  { weight: 1, arbitrary: fc.record({ ...named('changeThrows'), times: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: fc.record(named('lose')) },
  { weight: 1, arbitrary: fc.record(named('truncate')) },
  { weight: 4, arbitrary: fc.record(named('return')) },
  { weight: 2, arbitrary: fc.record(named('checkpoint')) },
);

interface Parsed {
  readonly id: Key;
  readonly value: number;
}

/** Accepts only complete rows. */
function parse(value: unknown): Parsed {
  if (typeof value === 'object' && value !== null && 'id' in value && 'value' in value) {
    const { id: key, value: number } = value;
    if ((typeof key === 'string' || typeof key === 'number') && typeof number === 'number')
      return { id: key, value: number };
  }
  throw new TypeError('not a row');
}

/** The rows as an observer sees them; each change must fit the earlier ones. */
function mirror(collection: Collection<Parsed>): Map<Key, Parsed> {
  const rows = new Map<Key, Parsed>();
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
    updated() {
      expect([...rows]).toHaveLength(collection.size);
    },
  });
  return rows;
}

/** Two rows are the same even if one key is a number and the other is a string. */
function comparable(rows: Iterable<readonly [Key, Parsed]>): string[] {
  return [...rows].map(([key, { id: own, value }]) => `${key} ${own} ${value}`).sort();
}

async function run(given: readonly Step[], chunkRows: number): Promise<void> {
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
  const codes = new Set<string>();
  client.on('error', ({ code }) => codes.add(code));
  const faults = { throws: 0 };
  const collection = client.collection<Parsed>({
    key: 'id',
    parse,
    change: ({ type, data }): RowChange => {
      if (faults.throws-- > 0) throw new Error('broken');
      if (type === 'Put') return { put: data };
      return type === 'Removed' ? { remove: data } : Object(data);
    },
  });
  const observed = mirror(collection);
  const check = () => {
    expect(comparable(observed)).toEqual(comparable(collection));
    if (collection.position === undefined) expect([collection.size, collection.state]).toEqual([0, 'loading']);
    else expect(comparable(collection)).toEqual(comparable(gateway.history.get(collection.position) ?? []));
  };
  client.on('state', check);
  await clock.advance(0);
  for (const next of given) {
    await take(next, gateway, clock, faults, check);
    check();
  }
  gateway.snapshotFault = undefined;
  faults.throws = 0;
  for (let i = 0; i < 2_000 && !(collection.state === 'live' && gateway.idle); i++) {
    await clock.advance(250);
    gateway.deliver(1);
    check();
  }
  expect(collection.state).toBe('live');
  expect(comparable(collection)).toEqual(comparable(gateway.table));
  for (const code of codes) expect(['HANDLER_FAILED', 'SNAPSHOT_UNAVAILABLE']).toContain(code);
  client.close();
}

async function take(
  given: Step,
  gateway: ModelGateway,
  clock: FakeClock,
  faults: { throws: number },
  check: () => void,
): Promise<void> {
  switch (given.do) {
    case 'put':
      gateway.put(given.row.id, given.row.value, given.writing);
      break;
    case 'remove':
      gateway.remove(given.id, given.writing);
      break;
    case 'change':
      gateway.change(given.rows, given.removed, given.writing);
      break;
    case 'repeat':
      gateway.repeat(given.id);
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
    case 'snapshots':
      gateway.snapshotFault = given.fault;
      break;
    case 'changeThrows':
      faults.throws = given.times;
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

describe('a collection under losses, resets, failing snapshots, and changes that cannot be applied', () => {
  it(`[fault C1][I-6][I-2] is never live and different: ${STEPS} steps against a model`, {
    timeout: 600_000,
  }, async () => {
    let taken = 0;
    const property = fc.asyncProperty(
      fc.array(steps, { minLength: MAX_STEPS / 2, maxLength: MAX_STEPS, size: 'max' }),
      fc.integer({ min: 1, max: 3 }),
      async (given, chunkRows) => {
        await run(given, chunkRows);
        taken += given.length;
      },
    );
    await fc.assert(property, { numRuns: Math.ceil(STEPS / (MAX_STEPS / 2)) });
    expect(taken).toBeGreaterThanOrEqual(STEPS);
  });
});
