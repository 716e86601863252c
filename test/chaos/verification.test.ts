import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Beginning } from './clients/journal.js';
import { LAST_TOPIC } from './names.js';
import { LEEWAY_MS } from './rights.js';
import { agreedOrder } from './verification/agreed-order.js';
import { differingRows } from './verification/collections.js';
import { CommittedEvents } from './verification/committed-events.js';
import { Examination } from './verification/examination.js';
import { FINDING_KINDS, type FindingKind, type Findings } from './verification/findings.js';
import { notAtHead } from './verification/head.js';
import type { CommittedEvent, CommittedRevocation, RevocationKind, Truth } from './verification/truth.js';

// A run is worth as much as its judge. These tests show that the judge sees every kind of fault.
const committed: CommittedEvent[] = Array.from({ length: 30 }, (_, i) => ({
  id: `e${i}`,
  topic: i % 3 === 0 ? 'order.1.placed' : 'account.1.changed',
  row: `row/${i % 3}`,
  version: 1 + Math.floor(i / 3),
  recordedAtMs: i * 1_000,
}));
const events = new CommittedEvents(committed);
const ids = committed.map(({ id }) => id);

function examine(
  received: readonly string[],
  options: { topics?: string[]; beginning?: Beginning; left?: boolean } = {},
) {
  const { topics = ['#'], beginning = 'first', left = false } = options;
  const examination = begin({ topics, beginning });
  receive(examination, received);
  return counts(examination.end(!left));
}

interface Follower {
  readonly topics?: readonly string[];
  readonly beginning?: Beginning;
  readonly revocations?: readonly CommittedRevocation[];
}

function begin({ topics = ['#'], beginning = 'first', revocations = [] }: Follower): Examination {
  return new Examination({ name: 'one', user: 'one', topics, beginning }, events, revocations);
}

function receive(examination: Examination, received: readonly string[]): void {
  for (const id of received) {
    examination.received({ id, atMs: 0, connection: 1, position: `p-${id}`, sequence: '0000000000000001' });
  }
}

/** The kinds that were found. */
function counts(findings: Findings): Partial<Record<FindingKind, number>> {
  return Object.fromEntries(FINDING_KINDS.filter((kind) => findings[kind] > 0).map((kind) => [kind, findings[kind]]));
}

const CLEAN = {};

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

  it('finds events that were not committed, or that the follower may not receive', () => {
    expect(examine([...ids, 'rolled-back'])).toEqual({ uncommitted: 1 });
    expect(examine(['e0', 'e1', 'e3'], { topics: ['order.#'], left: true })).toEqual({ notAllowed: 1 });
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
    const examination = begin({});
    receive(examination, ids.slice(0, 10));
    examination.reset('first');
    receive(examination, ids);
    expect(counts(examination.end(true))).toEqual(CLEAN);
  });

  it('goes on after the last event when the rights change', () => {
    const orders = ids.filter((_, i) => i % 3 === 0);
    const narrowed = (after: readonly string[]) => {
      const examination = begin({});
      receive(examination, ids.slice(0, 11));
      examination.topics(['order.#']);
      receive(examination, after);
      return counts(examination.end(true));
    };
    expect(narrowed(orders.slice(4))).toEqual(CLEAN);
    expect(narrowed(orders.slice(5))).toEqual({ lost: 1 });
    expect(narrowed(orders.slice(3))).toEqual({ duplicate: 1 });
    expect(narrowed(['e12', 'e13', ...orders.slice(5)])).toEqual({ notAllowed: 1 });

    const widened = begin({ topics: ['order.#'] });
    receive(widened, orders.slice(0, 4));
    widened.topics(['#']);
    receive(widened, ids.slice(10));
    expect(counts(widened.end(true))).toEqual(CLEAN);
  });

  it('accepts that a checkpoint skipped what the former rights did not allow, and nothing else', () => {
    const widened = (after: readonly string[]) => {
      const examination = begin({ topics: ['order.#'] });
      receive(examination, ['e0', 'e3']);
      examination.topics(['#']);
      receive(examination, after);
      return counts(examination.end(true));
    };
    expect(widened(ids.slice(5))).toEqual(CLEAN);
    expect(widened(ids.slice(8))).toEqual({ lost: 1 });
    expect(widened(['e5', ...ids.slice(7)])).toEqual({ lost: 1 });
  });

  it('finds events that were lost before the rights changed', () => {
    const examination = begin({});
    receive(examination, [...ids.slice(0, 5), ...ids.slice(7, 10)]);
    examination.topics(['order.#']);
    expect(counts(examination.end(false))).toEqual({ lost: 2 });
  });

  it('finds events that were committed after the token had expired, and lets a second pass', () => {
    const examination = begin({});
    examination.token({ issuedAtMs: 0, expiresAtMs: 10_000 - LEEWAY_MS });
    receive(examination, ids.slice(0, 12));
    expect(counts(examination.findings)).toEqual(CLEAN);
    receive(examination, ids.slice(12, 15));
    expect(counts(examination.findings)).toEqual({ afterExpiry: 3 });
    examination.token({ issuedAtMs: 10_000, expiresAtMs: 60_000 });
    receive(examination, ids.slice(15));
    expect(counts(examination.end(true))).toEqual({ afterExpiry: 3 });
  });
});

describe('The examination of a follower with a revoked token', () => {
  const revocation = (kind: RevocationKind, atMs: number, user = 'one'): CommittedRevocation => ({
    kind,
    user,
    atMs,
    committedByMs: atMs + 100,
  });
  const token = (issuedAtMs: number) => ({ issuedAtMs, expiresAtMs: 600_000 });

  it('finds events that were committed more than a second after the revocation, until there is a new token', () => {
    const examination = begin({ revocations: [revocation('revoke', 9_900)] });
    examination.token(token(9_000));
    receive(examination, ids.slice(0, 12));
    expect(counts(examination.findings)).toEqual(CLEAN);
    receive(examination, ids.slice(12, 14));
    examination.token(token(10_000));
    receive(examination, ids.slice(14));
    expect(counts(examination.end(true))).toEqual({ afterRevocation: 2 });
  });

  it('finds events that were committed more than a second after a block, with any token', () => {
    const examination = begin({ revocations: [revocation('block', 9_900)] });
    examination.token(token(9_000));
    receive(examination, ids.slice(0, 12));
    examination.token(token(10_000));
    receive(examination, ids.slice(12, 15));
    expect(counts(examination.end(false))).toEqual({ afterBan: 3 });
  });

  it('finds revocations of other users, and of older tokens, that end a connection', () => {
    const told = (issuedAtMs: number, revocations: CommittedRevocation[]) => {
      const examination = begin({ revocations });
      examination.token(token(issuedAtMs));
      examination.revoked(12_000, '4506');
      return counts(examination.end(false));
    };
    expect(told(9_000, [revocation('revoke', 9_900)])).toEqual(CLEAN);
    expect(told(11_000, [revocation('block', 9_900)])).toEqual(CLEAN);
    expect(told(11_000, [revocation('revoke', 9_900)])).toEqual({ refused: 1 });
    expect(told(9_000, [revocation('revoke', 9_900, 'two')])).toEqual({ refused: 1 });
    expect(told(9_000, [])).toEqual({ refused: 1 });
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
  const truth: Truth = { events: committed, order: 'commits', tables, transactions: 1, revocations: [] };
  const follower = {
    name: 'one',
    user: 'one',
    isNewcomer: false,
    isShutOut: false,
    topics: ['order.#'],
    received: 0,
    reconnects: 0,
    resumes: 0,
    resets: 0,
    expired: 0,
    forbidden: 0,
    revoked: 0,
    fromFirst: true,
  };

  it('if it has received the last matching event, or holds the rows of that event', () => {
    expect(notAtHead([{ ...follower, lastId: 'e27' }], truth)).toEqual([]);
    expect(notAtHead([{ ...follower, lastId: 'e24' }], truth)).toEqual(['one']);
    // Under former rights.
    expect(notAtHead([{ ...follower, lastId: 'e28' }], truth)).toEqual([]);
    expect(notAtHead([{ ...follower, lastId: 'e25' }], truth)).toEqual(['one']);
    expect(notAtHead([{ ...follower, lastId: undefined }], truth)).toEqual(['one']);
    expect(notAtHead([{ ...follower, lastId: undefined, holds: { rows: 1, versions: 3 } }], truth)).toEqual([]);
    expect(notAtHead([{ ...follower, lastId: undefined, holds: { rows: 1, versions: 2 } }], truth)).toEqual(['one']);
  });

  it('if it has received as many events as match and their order is not known beforehand', () => {
    const anyOrder = { ...truth, order: 'rows' } as const;
    expect(notAtHead([{ ...follower, received: 10, lastId: 'e24' }], anyOrder)).toEqual([]);
    expect(notAtHead([{ ...follower, received: 9, lastId: 'e24' }], anyOrder)).toEqual(['one']);
  });

  it('if its user is blocked and the gateways do not admit it', () => {
    const block = { kind: 'block', user: 'one', atMs: 0, committedByMs: 0 } as const;
    const blocked: Truth = { ...truth, revocations: [block] };
    const atHead = { ...follower, lastId: 'e27' };
    expect(notAtHead([atHead], blocked)).toEqual(['one']);
    expect(notAtHead([{ ...atHead, isShutOut: true }], blocked)).toEqual([]);
    expect(notAtHead([atHead], { ...truth, revocations: [{ ...block, kind: 'revoke' }] })).toEqual([]);
  });

  it('if it has received the end of the run, also if the order is not known beforehand', () => {
    const end = { id: 'end', topic: LAST_TOPIC, row: 'run/1', version: 1, recordedAtMs: 30_000 };
    const ended = { ...truth, events: [...committed, end], order: 'rows' } as const;
    const newcomer = { ...follower, topics: ['#'], fromFirst: false };
    expect(notAtHead([{ ...newcomer, lastId: 'e24' }], ended)).toEqual(['one']);
    expect(notAtHead([{ ...newcomer, received: 1, lastId: 'end' }], ended)).toEqual([]);
  });
});
