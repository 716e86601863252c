import { encodePosition, PregonError } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { openMemoryLog } from '../../src/logs/memory/memory-log.js';
import { ControlledLog } from './support/controlled-log.js';
import { type Client, event, events, Square } from './support/square.js';

function delivered({ link }: Client): unknown[] {
  return link.delivered.map(({ data }) => data);
}

/** The old events that a client got after it had begun in the new log, and before a reset. */
function oldAfterNew({ link }: Client, fresh: ReadonlySet<string>): unknown[] {
  let isInNew = false;
  return link.received.filter((received) => {
    if (received.op === 'reset') isInNew = false;
    if (received.op === 'subscribed') isInNew = fresh.has(received.position);
    return received.op === 'event' && isInNew && received.event.data === 'old';
  });
}

/** Replaces the log by another log that holds other events at the same offsets. */
async function replace(square: Square, count: number): Promise<string[]> {
  square.log.inner.replace();
  const points = await square.log.append(events(count, 'new', { data: 'new' }));
  return points.map(encodePosition);
}

describe('resuming from a position', () => {
  it('[I-4] that the log holds continues after it', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const positions = await square.append(events(5));
    const client = square.subscribe({ since: positions[1] ?? '' });
    await square.clock.settle();
    expect(client.link.frames).toMatchObject([{ op: 'subscribed', id: 1, position: positions[1], recovered: true }]);
    expect(client.link.delivered.map(({ position }) => position)).toEqual(positions.slice(2));
  });

  it('[I-4] that retention has dropped causes a reset (truncated), then live events', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const positions = await square.append(events(5));
    await square.log.inner.trim({ maxCount: 2 });
    const client = square.subscribe({ since: positions[1] ?? '' });
    await square.clock.settle();
    expect(client.link.frames).toEqual([
      { op: 'reset', id: 1, reason: 'truncated' },
      { op: 'subscribed', id: 1, position: positions[4], recovered: false },
    ]);
    expect(client.link.delivered).toEqual([]);
  });

  it('[I-4] that is exactly the floor misses nothing', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const positions = await square.append(events(5));
    await square.log.inner.trim({ maxCount: 2 });
    const client = square.subscribe({ since: positions[2] ?? '' });
    await square.clock.settle();
    expect(client.link.delivered.map(({ position }) => position)).toEqual(positions.slice(3));
  });

  it.each([0, 1_000_000])(
    '[I-4] of another log causes a reset (replaced), with a history of %i bytes',
    async (historyBytes) => {
      const other = await Square.open();
      const foreign = await other.append(events(5));
      const square = await Square.open({ historyBytes });
      await square.append(events(5));
      for (const since of [...foreign, encodePosition({ offset: 99, fingerprint: 1 })]) {
        const client = square.subscribe({ since });
        await square.clock.settle();
        expect(client.link.frames[0]).toEqual({ op: 'reset', id: 1, reason: 'replaced' });
        expect(client.link.delivered).toEqual([]);
      }
    },
  );

  it('[I-4] that is invalid is refused at once, and opens nothing', async () => {
    const square = await Square.open();
    const { connection } = square.connect();
    const [good = ''] = await square.append(events(1));
    for (const since of [
      '',
      'x',
      'FIRST',
      '0',
      good.slice(0, -1),
      `${good}0`,
      good.toUpperCase(),
      '../../etc/passwd',
    ]) {
      expect(() => connection.subscribe(1, undefined, since)).toThrow(
        expect.objectContaining({ name: 'PregonError', code: 'POSITION_INVALID' }),
      );
    }
    expect(square.hub.subscriptions).toBe(0);
  });

  it('[I-2] that retention drops during the read causes a reset, after the events that were still there', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const positions = await square.append(events(10, 'a', { data: 'x'.repeat(30_000) }));
    const gate = square.log.hold('read', 'before');
    const client = square.subscribe({ since: positions[0] ?? '' });
    await square.clock.settle();
    gate.letOne();
    await square.clock.settle();
    const before = client.link.delivered.length;
    await square.log.inner.trim({ maxCount: 1 });
    gate.open();
    await square.clock.settle();
    expect(client.link.frames.slice(1)).toEqual([
      { op: 'reset', id: 1, reason: 'truncated' },
      { op: 'subscribed', id: 1, position: positions[9], recovered: false },
    ]);
    expect(before).toBeGreaterThan(0);
    expect(client.link.delivered.map(({ position }) => position)).toEqual(positions.slice(1, 1 + before));
  });
});

describe('a log that is replaced while the gateway runs', () => {
  it('[I-4] causes a reset for all subscriptions, and then only events of the new log', async () => {
    const square = await Square.open();
    await square.append(events(5, 'old', { data: 'old' }));
    const live = square.subscribe();
    const ahead = square.subscribe({ since: 'first' });
    await square.clock.settle();
    await replace(square, 2);
    await square.clock.settle();
    const [position] = await square.append(events(1, 'new', { data: 'newer' }));
    expect(square.told).toEqual([{ state: 'replaced', head: expect.anything() }]);
    for (const client of [live, ahead]) {
      expect(client.link.received.slice(-3).map(({ op }) => op)).toEqual(['reset', 'subscribed', 'event']);
      expect(client.link.delivered.at(-1)).toMatchObject({ position, data: 'newer' });
    }
  });

  /** The log is replaced during a call: before the call reads it, or after, but before the hub is told. */
  const moments = [
    ['read', 'before'],
    ['read', 'after'],
    ['floor', 'before'],
    ['floor', 'after'],
    ['check', 'before'],
    ['check', 'after'],
  ] as const;

  it.each(moments)('[I-4] during a %s (held %s it) never mixes the two logs', async (call, when) => {
    const square = await Square.open({ historyBytes: 0 });
    const [since = ''] = await square.append(events(5, 'old', { data: 'old' }));
    const gate = square.log.hold(call, when);
    const client = square.subscribe({ since });
    await square.clock.settle();
    expect(gate.waiting).toBe(1);
    square.log.holdFollowers();
    const fresh = await replace(square, 8);
    gate.open();
    await square.clock.settle();
    // The hub has not been told yet: it can deliver only events of the old log.
    expect(delivered(client)).not.toContain('new');
    square.log.tellFollowers();
    await square.clock.settle();
    const resets = client.link.frames.filter(({ op }) => op === 'reset');
    expect(resets).toContainEqual({ op: 'reset', id: 1, reason: 'replaced' });
    expect(client.link.frames.at(-1)).toEqual({ op: 'subscribed', id: 1, position: fresh[7], recovered: false });
    await square.append(events(1, 'new', { data: 'newer' }));
    expect(delivered(client).filter((data) => data !== 'old')).toEqual(['newer']);
  });

  it('[I-4] does not serve a late page of the old log to clients that connect afterwards', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const [since = ''] = await square.append(events(5, 'old', { data: 'old' }));
    const gate = square.log.hold('check', 'after');
    const early = square.subscribe({ since });
    await square.clock.settle();
    gate.letOne();
    await square.clock.settle();
    gate.letOne();
    await square.clock.settle();
    // The last check of the page still found the old log, and the hub was not told yet.
    expect(gate.waiting).toBe(1);
    const fresh = await replace(square, 5);
    await square.clock.settle();
    gate.open();
    await square.clock.settle();
    const late = square.subscribe({ since: fresh[0] ?? '' });
    await square.clock.settle();
    expect(delivered(late)).toEqual(['new', 'new', 'new', 'new']);
    expect(delivered(early)).toEqual([]);
    expect(early.link.frames.map(({ op }) => op)).toEqual(['subscribed', 'reset', 'subscribed']);
  });

  it('[I-4] drops events of the old log that had arrived but were not delivered', async () => {
    const square = await Square.open({ flushIntervalMs: 50 });
    const client = square.subscribe();
    await square.append(events(1, 'old', { data: 'old' }));
    await square.append(events(1, 'old', { data: 'too late' }));
    const fresh = await replace(square, 2);
    await square.clock.settle();
    square.clock.advance(1_000);
    await square.append(events(1, 'new', { data: 'newer' }));
    square.clock.advance(1_000);
    expect(delivered(client)).toEqual(['old', 'newer']);
    expect(client.link.frames.at(-1)).toMatchObject({ op: 'subscribed', position: fresh[1] });
  });

  it.each(['first', 'position'])(
    '[I-4] does not answer since=%s of the new log with events of the old one',
    async (kind) => {
      const log = new ControlledLog(openMemoryLog({ exchanges: ['things'] }));
      const square = await Square.open({ log });
      const foreign = event('old', { exchange: 'other', data: 'old' });
      // The window does not hold the second offset, so the gateway asks the log.
      await square.append([...events(1, 'old', { data: 'old' }), foreign, ...events(3, 'old', { data: 'old' })]);
      square.log.holdFollowers();
      const fresh = await replace(square, 3);
      const client = square.subscribe({ since: kind === 'first' ? 'first' : (fresh[1] ?? '') });
      await square.clock.settle();
      expect(delivered(client)).toEqual([]);
      square.log.tellFollowers();
      await square.clock.settle();
      expect(client.link.frames.at(-1)).toMatchObject({ op: 'subscribed', position: fresh[2] });
      await square.append([event('new', { data: 'newer' })]);
      expect(delivered(client)).toEqual(['newer']);
    },
  );

  it.each(['first', 'position', 'snapshot'])(
    '[I-4] gives since=%s of the new log no old event if the new log has dropped the offset that the hub has reached',
    async (kind) => {
      const table = { rows: [], sequence: 0, relayed: 0, source: '/test' };
      const square = await Square.open({
        flushIntervalMs: 50,
        route: { snapshot: async () => ({ ...table }) },
      });
      await square.append(events(2, 'old', { data: 'old' }));
      // Arrives, and waits for the next flush.
      await square.append(events(7, 'old', { data: 'old' }));
      square.log.holdFollowers();
      square.log.inner.replace();
      const points = await square.log.append(Array.from({ length: 10 }, (_, n) => event('new', { n, data: 'new' })));
      await square.log.inner.trim({ maxCount: 3 });
      const fresh = points.map(encodePosition);
      Object.assign(table, { sequence: 7, relayed: 9 });
      const since = { first: 'first', position: fresh[7] ?? '' }[kind];
      const client = square.subscribe({ snapshot: kind === 'snapshot', ...(since === undefined ? {} : { since }) });
      await square.clock.settle();
      // The hub has not been told of the new log, and delivers the rest of the old one.
      square.clock.advance(1_000);
      await square.clock.settle();
      expect(oldAfterNew(client, new Set(fresh))).toEqual([]);
      square.log.tellFollowers();
      await square.clock.settle();
      await square.append([event('new', { n: 10, data: 'newer' })]);
      square.clock.advance(1_000);
      const position = fresh[kind === 'snapshot' ? table.sequence : 9];
      expect(client.link.frames.at(-1)).toMatchObject({ op: 'subscribed', position });
      expect(delivered(client).at(-1)).toBe('newer');
    },
  );

  it('[I-4] refuses a fingerprint that was changed by hand', async () => {
    const square = await Square.open();
    const [position = ''] = await square.append(events(2));
    const [offset = '', rest = ''] = position.split('.');
    const forged = `${offset}.${rest.startsWith('1') ? '0' : '1'}${rest.slice(1)}`;
    expect(() => square.subscribe({ since: forged })).toThrow(PregonError);
  });
});
