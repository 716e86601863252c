import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Beginning } from './clients/journal.js';
import { LAST_TOPIC } from './names.js';
import { agreedOrder } from './verification/agreed-order.js';
import { differingRows } from './verification/collections.js';
import { Examination, type Findings } from './verification/examination.js';
import { notAtHead } from './verification/head.js';
import { matcher } from './verification/journal-reader.js';
import type { CommittedEvent } from './verification/truth.js';

// A run is worth as much as its judge. These tests show that the judge sees every kind of fault.
const committed: CommittedEvent[] = Array.from({ length: 30 }, (_, i) => ({
  id: `e${i}`,
  topic: i % 3 === 0 ? 'order.1.placed' : 'account.1.changed',
  row: `row/${i % 3}`,
  version: 1 + Math.floor(i / 3),
}));
const ids = committed.map(({ id }) => id);

function examine(
  received: readonly string[],
  options: { topics?: string[]; beginning?: Beginning; left?: boolean } = {},
) {
  const { topics = ['#'], beginning = 'first', left = false } = options;
  const examination = new Examination({ name: 'one', topics, beginning }, committed, matcher(topics));
  for (const id of received) {
    examination.received({ id, atMs: 0, connection: 1, position: `p-${id}`, sequence: '0000000000000001' });
  }
  return counts(examination.end(!left));
}

function counts({ lost, duplicate, reordered, foreign }: Findings) {
  return { lost, duplicate, reordered, foreign };
}

const CLEAN = { lost: 0, duplicate: 0, reordered: 0, foreign: 0 };

describe('The examination of a follower’s events', () => {
  it('finds nothing if all events came once, in order', () => {
    expect(examine(ids)).toEqual(CLEAN);
    expect(examine(['e0', 'e3', 'e6'], { topics: ['order.#'], left: true })).toEqual(CLEAN);
  });

  it('finds every event that is taken away', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(29), { minLength: 1 }), (gone) => {
        expect(examine(ids.filter((_, i) => !gone.includes(i)))).toEqual({ ...CLEAN, lost: gone.length });
      }),
    );
  });

  it('finds every event that is repeated', () => {
    fc.assert(
      fc.property(fc.nat(29), fc.nat(29), (which, later) => {
        const again = [...ids];
        again.splice(Math.max(which, later) + 1, 0, `e${which}`);
        expect(examine(again)).toEqual({ ...CLEAN, duplicate: 1 });
      }),
    );
  });

  it('finds every event that comes too late, and does not call it lost', () => {
    fc.assert(
      fc.property(fc.nat(28), fc.nat(28), (a, b) => {
        const from = Math.min(a, b);
        const to = Math.max(a, b) + 1;
        const moved = [...ids];
        moved.splice(to, 0, ...moved.splice(from, 1));
        expect(examine(moved)).toEqual({ ...CLEAN, reordered: 1 });
      }),
    );
  });

  it('finds events that were not committed, or that the follower did not subscribe to', () => {
    expect(examine([...ids, 'rolled-back'])).toEqual({ ...CLEAN, foreign: 1 });
    expect(examine(['e0', 'e1', 'e3'], { topics: ['order.#'], left: true })).toEqual({ ...CLEAN, foreign: 1 });
  });

  it('expects no event before the beginning, and all events after it', () => {
    const afterFour = { beginning: { after: 'e4' } };
    expect(examine(ids.slice(5), afterFour)).toEqual(CLEAN);
    expect(examine(ids.slice(6), afterFour)).toEqual({ ...CLEAN, lost: 1 });
    expect(examine(['e6', 'e9'], { ...afterFour, topics: ['order.#'], left: true })).toEqual(CLEAN);
    expect(examine(ids.slice(7), { beginning: 'anywhere' })).toEqual(CLEAN);
    expect(examine(ids.slice(7, 20), { beginning: 'anywhere' })).toEqual({ ...CLEAN, lost: 10 });
  });

  it('expects no event after the last one if the follower left early', () => {
    expect(examine(ids.slice(0, 20), { left: true })).toEqual(CLEAN);
    expect(examine(ids.slice(0, 20))).toEqual({ ...CLEAN, lost: 10 });
  });

  it('begins anew after a reset', () => {
    const examination = new Examination({ name: 'one', topics: ['#'], beginning: 'first' }, committed, () => true);
    const receive = (id: string) => examination.received({ id, atMs: 0, connection: 1, position: '', sequence: '' });
    for (const id of ids.slice(0, 10)) receive(id);
    examination.reset('first');
    for (const id of ids) receive(id);
    expect(counts(examination.end(true))).toEqual(CLEAN);
  });
});

describe('The order of transactions that commit side by side', () => {
  const sequences = new Map(ids.map((id, i) => [id, String(i + 1).padStart(16, '0')]));

  it('is the order of their sequences, whatever the order in which they were recorded', () => {
    const { events, reordered } = agreedOrder([...committed].reverse(), sequences);
    expect(events.map(({ id }) => id)).toEqual(ids);
    expect(reordered).toEqual([]);
  });

  it('is wrong if versions of a row are swapped', () => {
    const swapped = new Map(sequences).set('e3', String(7).padStart(16, '0')).set('e6', String(4).padStart(16, '0'));
    expect(agreedOrder(committed, swapped).reordered).toHaveLength(3);
  });

  it('ends with the events that no follower received', () => {
    sequences.delete('e5');
    expect(agreedOrder(committed, sequences).events.at(-1)?.id).toBe('e5');
  });
});

describe('The comparison of rows', () => {
  it('counts rows that are missing, different or surplus', () => {
    const table = [1, 2, 3].map((n) => ({ id: `${n}`, version: n, note: 'a' }));
    expect(differingRows(table, table).count).toBe(0);
    expect(differingRows(table, table.slice(1)).count).toBe(1);
    expect(differingRows(table.slice(1), table).count).toBe(1);
    expect(differingRows(table, [...table.slice(1), { id: '1', version: 1, note: 'b' }]).count).toBe(1);
  });
});

describe('A follower is at the head', () => {
  const tables = { accounts: [{ id: '1', version: 3 }], orders: [] };
  const truth = { events: committed, order: 'commits', tables, transactions: 1 } as const;
  const follower = {
    name: 'one',
    topics: ['order.#'],
    received: 0,
    reconnects: 0,
    resumes: 0,
    resets: 0,
    fromFirst: true,
  };

  it('if it has received the last matching event, or holds the rows of that event', () => {
    expect(notAtHead([{ ...follower, lastId: 'e27' }], truth)).toEqual([]);
    expect(notAtHead([{ ...follower, lastId: 'e24' }], truth)).toEqual(['one']);
    expect(notAtHead([{ ...follower, lastId: undefined }], truth)).toEqual(['one']);
    expect(notAtHead([{ ...follower, lastId: undefined, holds: { rows: 1, versions: 3 } }], truth)).toEqual([]);
    expect(notAtHead([{ ...follower, lastId: undefined, holds: { rows: 1, versions: 2 } }], truth)).toEqual(['one']);
  });

  it('if it has received as many events as match and their order is not known beforehand', () => {
    const anyOrder = { ...truth, order: 'rows' } as const;
    expect(notAtHead([{ ...follower, received: 10, lastId: 'e24' }], anyOrder)).toEqual([]);
    expect(notAtHead([{ ...follower, received: 9, lastId: 'e24' }], anyOrder)).toEqual(['one']);
  });

  it('if it has received the end of the run, also if the order is not known beforehand', () => {
    const end = { id: 'end', topic: LAST_TOPIC, row: 'run/1', version: 1 };
    const ended = { ...truth, events: [...committed, end], order: 'rows' } as const;
    const newcomer = { ...follower, topics: ['#'], fromFirst: false };
    expect(notAtHead([{ ...newcomer, lastId: 'e24' }], ended)).toEqual(['one']);
    expect(notAtHead([{ ...newcomer, received: 1, lastId: 'end' }], ended)).toEqual([]);
  });
});
