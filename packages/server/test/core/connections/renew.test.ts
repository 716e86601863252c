import type { AuthorizedFrame } from '@pregon/protocol';
import { matchesTopic } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeLink, type Received } from '../support/fake-link.js';
import { rights } from '../support/rights.js';
import { type Client, event, Square } from '../support/square.js';

const ANSWER: AuthorizedFrame = { op: 'authorized', sub: 'ada' };

const TOPICS = ['common.1', 'a.1', 'b.1', 'other.1'];

/** Rights among which a client changes; all of them allow the common topic. */
const SETS = [['common.#'], ['a.#', 'common.#'], ['b.#', 'common.#'], ['#']].map((subscribe) => rights(subscribe));

const renew = ({ connection }: Client, to = SETS[0]) => connection.renew({ rights: to }, ANSWER);

function topicsOf({ link }: Client): string[] {
  return link.delivered.map(({ topic }) => topic);
}

describe('[I-11] [H-05] a connection whose rights are renewed', () => {
  it('is told first, and then ends subscriptions that are not allowed any more', async () => {
    const square = await Square.open();
    const client = square.connect(new FakeLink(), { rights: rights(['a.#', 'b.#']) });
    client.connection.subscribe(1, ['a.#'], undefined);
    client.connection.subscribe(2, ['b.#'], undefined);
    await square.clock.settle();
    client.link.received.length = 0;
    client.link.read();
    renew(client, rights(['b.#']));
    expect(client.link.received).toEqual([ANSWER, expect.objectContaining({ op: 'error', id: 1, code: 'FORBIDDEN' })]);
    await square.append(TOPICS.map((topic) => event(topic)));
    expect(topicsOf(client)).toEqual(['b.1']);
  });

  it('is cut without a close frame, if rights are lost while data waits, and gets nothing more', async () => {
    const square = await Square.open();
    const link = new FakeLink();
    link.limit = 10_000;
    const client = square.connect(link, { rights: rights(['a.#', 'common.#']) });
    client.connection.subscribe(1, undefined, undefined);
    await square.append([event('a.1')]);
    expect(client.link.bufferedBytes).toBeGreaterThan(0);
    renew(client, rights(['common.#']));
    expect(client.link.received).not.toContainEqual(ANSWER);
    await square.append([event('common.1')]);
    expect(topicsOf(client)).toEqual(['a.1']);
    expect(client.connection.access.hasEnded).toBe(true);
  });

  it('gets another snapshot if its rights have other rows, and none if they have the same', async () => {
    const read: (readonly string[])[] = [];
    const snapshot = async ({ topics }: { topics: readonly string[] }) => {
      read.push(topics);
      return { rows: [...topics], sequence: 0 };
    };
    const square = await Square.open({ route: { snapshot, snapshotPer: 'rights' } });
    const client = square.connect(new FakeLink(), { rights: rights(['a.#']) });
    client.connection.subscribe(1, undefined, undefined, { snapshot: true });
    await square.clock.settle();
    client.link.read();
    renew(client, rights(['a.#'], { key: 'another key' }));
    await square.clock.settle();
    expect(read).toEqual([['a.#']]);
    client.link.received.length = 0;
    client.link.read();
    renew(client, rights(['a.#', 'b.#']));
    await square.clock.settle();
    expect(client.link.received.map(({ op }) => op)).toEqual(['authorized', 'reset', 'snapshot', 'subscribed']);
    expect(client.link.received[1]).toEqual({ op: 'reset', id: 1, reason: 'rights' });
    expect(read).toEqual([['a.#'], ['a.#', 'b.#']]);
  });

  it('gets another snapshot if it comes back with rows of other rights, and resumes with rows of the same', async () => {
    const snapshot = async ({ topics }: { topics: readonly string[] }) => ({ rows: [...topics], sequence: 0 });
    const square = await Square.open({ route: { snapshot, snapshotPer: 'rights' } });
    const frames = async (subscribe: readonly string[], since?: string, mark?: string) => {
      const { link, connection } = square.connect(new FakeLink(), { rights: rights(subscribe) });
      connection.subscribe(1, undefined, since, { snapshot: true, rights: mark });
      await square.clock.settle();
      const subscribed = link.frames.find((frame) => frame.op === 'subscribed');
      return { ops: link.frames.map(({ op }) => op), position: subscribed?.position, rights: subscribed?.rights };
    };
    const first = await frames(['a.#']);
    expect(first).toMatchObject({ ops: ['snapshot', 'subscribed'], rights: expect.any(String) });
    expect(await frames(['a.#'], first.position, first.rights)).toMatchObject({
      ops: ['subscribed'],
      rights: first.rights,
    });
    const other = await frames(['b.#'], first.position, first.rights);
    expect(other.ops).toEqual(['reset', 'snapshot', 'subscribed']);
    expect(other.rights).not.toBe(first.rights);
    // A client that does not say which rows it has decides by itself.
    expect((await frames(['b.#'], first.position)).ops).toEqual(['subscribed']);
  });

  it('cannot be renewed after its rights have ended', async () => {
    const square = await Square.open();
    const client = square.connect(new FakeLink(), { rights: rights(['a.#']) });
    client.connection.subscribe(1, undefined, undefined);
    client.connection.endRights({ code: 4005, reason: 'the token has expired', reconnect: true });
    renew(client, rights(['#']));
    await square.append([event('a.1')]);
    expect([topicsOf(client), client.connection.access.hasEnded]).toEqual([[], true]);
  });

  it('[I-1][I-2][I-3] gets what all its rights allow, once and in order, and nothing that its rights do not allow', async () => {
    const step = fc.oneof(
      fc.record({ append: fc.array(fc.constantFrom(...TOPICS), { minLength: 1, maxLength: 8 }) }),
      fc.record({ renew: fc.nat(SETS.length - 1) }),
      fc.record({ read: fc.constantFrom(1, 400, 100_000) }),
    );
    const options = {
      limit: fc.constantFrom(0, 500, Number.POSITIVE_INFINITY),
      since: fc.constantFrom('first', undefined),
      history: fc.constantFrom(0, 1_000_000),
      steps: fc.array(step, { maxLength: 40 }),
    };
    await fc.assert(
      fc.asyncProperty(fc.record(options), async ({ limit, since, history, steps }) => {
        const square = await Square.open({ historyBytes: history });
        const before = [event('common.1'), event('a.1')];
        await square.append(before);
        const link = new FakeLink();
        link.limit = limit;
        const client = square.connect(link, { rights: SETS[0] ?? rights([]) });
        client.connection.subscribe(1, undefined, since);
        await square.clock.settle();
        const all = since === undefined ? [] : before;
        /** The rights at each place of what was received. */
        const turns = [{ at: 0, allowed: SETS[0]?.subscribe ?? [] }];
        for (const next of steps) {
          if ('append' in next) {
            const appended = next.append.map((topic) => event(topic));
            all.push(...appended);
            await square.append(appended);
          } else if ('read' in next) {
            if (link.read(next.read)) client.connection.drained();
            await square.clock.settle();
          } else {
            // A client that has not taken its data could lose its connection here.
            if (link.bufferedBytes > 0) continue;
            turns.push({ at: link.received.length, allowed: SETS[next.renew]?.subscribe ?? [] });
            renew(client, SETS[next.renew]);
          }
        }
        await square.drain(client);
        const ids = link.eventIds;
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).toEqual(all.map(({ id }) => id).filter((id) => ids.includes(id)));
        const common = all.filter(({ topic }) => topic === 'common.1').map(({ id }) => id);
        expect(ids.filter((id) => common.includes(id))).toEqual(common);
        for (const [k, { at, allowed }] of turns.entries()) {
          const within: Received[] = link.received.slice(at, turns[k + 1]?.at);
          for (const received of within) {
            if (received.op !== 'event') continue;
            expect(allowed.some((pattern) => matchesTopic(pattern, received.event.topic))).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
