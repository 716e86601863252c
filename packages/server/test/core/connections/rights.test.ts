import { CLOSE_CODES } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { Expiry } from '../../../src/core/connections/expiry.js';
import { TurnBudget } from '../../../src/core/incoming/turn-budget.js';
import type { Rights } from '../../../src/core/ports/rights.js';
import { eventLoopTurn, FakeClock } from '../support/fake-clock.js';
import { FakeLink } from '../support/fake-link.js';
import { rights } from '../support/rights.js';
import { event, Square } from '../support/square.js';

const ADA = rights(['public.#', 'user.ada.#']);

const TOPICS = ['public.1', 'user.ada.created', 'user.grace.created', 'secret', 'user.ada'];

function append(square: Square): Promise<string[]> {
  return square.append(TOPICS.map((topic) => event(topic)));
}

function topicsOf({ delivered }: FakeLink): string[] {
  return delivered.map(({ topic }) => topic);
}

describe('[I-9] [H-03] a subscription under rights', () => {
  it.each<[name: string, topics: string[] | undefined]>([
    ['no topics', undefined],
    ['exactly #', ['#']],
  ])('gets all that is allowed, if the client asks for %s', async (_, topics) => {
    const square = await Square.open();
    const { link, connection } = square.connect(new FakeLink(), { rights: ADA });
    connection.subscribe(1, topics, undefined);
    await append(square);
    expect(topicsOf(link)).toEqual(['public.1', 'user.ada.created', 'user.ada']);
  });

  it('gets the part that the client asks for', async () => {
    const square = await Square.open();
    const { link, connection } = square.connect(new FakeLink(), { rights: ADA });
    connection.subscribe(1, ['user.ada.*'], undefined);
    await append(square);
    expect(topicsOf(link)).toEqual(['user.ada.created']);
  });

  it('gets nothing that is not allowed from a replay of the whole log', async () => {
    const square = await Square.open();
    await append(square);
    const { link, connection } = square.connect(new FakeLink(), { rights: ADA });
    connection.subscribe(1, undefined, 'first');
    await square.clock.settle();
    expect(topicsOf(link)).toEqual(['public.1', 'user.ada.created', 'user.ada']);
  });

  it.each([['user.#'], ['user.*.created'], ['secret'], ['user.grace.#'], ['public.#', 'secret'], ['#', '#.x']])(
    'is refused with FORBIDDEN, which names the pattern, for %s',
    async (...topics) => {
      const square = await Square.open();
      const { connection } = square.connect(new FakeLink(), { rights: ADA });
      expect(() => connection.subscribe(1, topics, undefined)).toThrow(
        expect.objectContaining({ code: 'FORBIDDEN', message: expect.stringContaining('"') }),
      );
    },
  );

  it('is refused before its position is looked at', async () => {
    const square = await Square.open();
    const { connection } = square.connect(new FakeLink(), { rights: ADA });
    expect(() => connection.subscribe(1, ['secret'], 'nonsense')).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    );
  });

  it('gets a snapshot only under the right to all topics: its rows are of all topics', async () => {
    const snapshot = async () => ({ rows: [{ id: 'grace' }], sequence: 0 });
    const square = await Square.open({ route: { snapshot } });
    const { connection } = square.connect(new FakeLink(), { rights: ADA });
    expect(() => connection.subscribe(1, undefined, undefined, { snapshot: true })).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    );
    const all = square.connect(new FakeLink(), { rights: rights(['#']) });
    expect(() => all.connection.subscribe(1, undefined, undefined, { snapshot: true })).not.toThrow();
  });

  it('stays within the topics of the route', async () => {
    const square = await Square.open({ route: { topics: ['user.#'] } });
    const { link, connection } = square.connect(new FakeLink(), { rights: ADA });
    connection.subscribe(1, undefined, undefined);
    await append(square);
    expect(topicsOf(link)).toEqual(['user.ada.created', 'user.ada']);
  });

  it('is one audience with all subscriptions under equal rights', async () => {
    const square = await Square.open();
    const filters = [ADA, rights(['public.#', 'user.ada.#']), rights(['public.#'])].map((held) =>
      square.route.filter(undefined, held),
    );
    expect(filters[0]?.key).toBe(filters[1]?.key);
    expect(filters[0]?.key).not.toBe(filters[2]?.key);
  });
});

describe('[I-9] [H-03] rights of the application', () => {
  it('are told apart, also if their keys are equal', async () => {
    const square = await Square.open();
    const links = ['ada', 'grace'].map((sub) => {
      const held = rights([`user.${sub}.#`], { key: '' });
      const { link, connection } = square.connect(new FakeLink(), { rights: held });
      connection.subscribe(1, undefined, undefined);
      return link;
    });
    await append(square);
    expect(links.map(topicsOf)).toEqual([['user.ada.created', 'user.ada'], ['user.grace.created']]);
  });
});

describe('[I-9] [H-05] a connection whose rights have ended', () => {
  it('is closed at once if the application can write to it past the connection, else some time later', async () => {
    const square = await Square.open();
    class SharedLink extends FakeLink {
      readonly isOpenToApplication = true;
    }
    const [shared, own] = [square.connect(new SharedLink()), square.connect(new FakeLink())];
    for (const { connection } of [shared, own]) connection.endRights(CLOSE_CODES.TOKEN_EXPIRED);
    expect(shared.link.closedWith).toMatchObject({ code: 4005 });
    expect(own.link.closedWith).toBeUndefined();
  });

  it('gets no message of the application', async () => {
    const square = await Square.open();
    const { link, connection } = square.connect(new FakeLink(), { rights: ADA });
    expect(connection.send('before')).toBe(true);
    connection.endRights(CLOSE_CODES.TOKEN_EXPIRED);
    expect(connection.send('after')).toBe(false);
    square.route.connections.broadcast('after');
    expect(link.frames).toMatchObject([{ op: 'ephemeral', message: { data: 'before' } }]);
  });

  it('gets no answer of a handler that began before', async () => {
    const square = await Square.open();
    let answer = (_: string): void => {};
    square.route.handle({ messages: { ask: () => new Promise((resolve) => (answer = resolve)) } });
    const { link, connection } = square.connect(new FakeLink(), { rights: rights([], { send: 'any' }) });
    connection.receive('data', 'ask', 7);
    await eventLoopTurn();
    connection.endRights(CLOSE_CODES.TOKEN_EXPIRED);
    answer('secret');
    await eventLoopTurn();
    expect(link.frames).toEqual([expect.objectContaining({ op: 'error', id: 7, code: 'FORBIDDEN' })]);
  });
});

describe('[I-9] [H-03] a message under rights', () => {
  async function answer(held: Rights, name: string, prepare: (square: Square) => void): Promise<unknown> {
    const square = await Square.open();
    prepare(square);
    const { link, connection } = square.connect(new FakeLink(), { rights: held });
    connection.receive('data', name, 7);
    await eventLoopTurn();
    const [frame] = link.frames;
    return frame?.op === 'error' ? frame.code : frame?.op;
  }
  const named = (square: Square) => square.route.handle({ messages: { bid: () => 1 } });
  const relayed = (square: Square) => square.route.relay();

  it('reaches its handler if its name is allowed, and is refused otherwise', async () => {
    expect(await answer(rights([], { send: new Set(['bid']) }), 'bid', named)).toBe('ack');
    expect(await answer(rights([], { send: 'any' }), 'bid', named)).toBe('ack');
    expect(await answer(rights([]), 'bid', named)).toBe('FORBIDDEN');
    expect(await answer(rights([], { send: new Set(['ask']) }), 'bid', named)).toBe('FORBIDDEN');
    expect(await answer(rights([], { broadcast: true }), 'bid', named)).toBe('FORBIDDEN');
  });

  it('that nobody handles is FORBIDDEN, not unknown, if it is not allowed', async () => {
    expect(await answer(rights([]), 'unknown', named)).toBe('FORBIDDEN');
    expect(await answer(rights([], { send: 'any' }), 'unknown', named)).toBe('MESSAGE_UNKNOWN');
  });

  it('is relayed to the other connections with the right to broadcast only', async () => {
    expect(await answer(rights([], { send: 'any' }), 'hello', relayed)).toBe('FORBIDDEN');
    expect(await answer(rights([], { broadcast: true }), 'hello', relayed)).toBe('ack');
  });

  it('is refused if a handler would get it beside the relay, and its name is not allowed', async () => {
    const both = (square: Square) => {
      square.route.relay();
      square.route.handle({ message: () => undefined });
    };
    expect(await answer(rights([], { broadcast: true }), 'hello', both)).toBe('FORBIDDEN');
    expect(await answer(rights([], { broadcast: true, send: 'any' }), 'hello', both)).toBe('ack');
  });
});

describe('[I-11] a connection whose rights have ended', () => {
  it('gets nothing more, and may do nothing more, before it is closed', async () => {
    const square = await Square.open();
    square.route.handle({ messages: { bid: () => 1 } });
    const { link, connection } = square.connect(new FakeLink(), { rights: rights(['#'], { send: 'any' }) });
    connection.subscribe(1, undefined, undefined);
    await append(square);
    expect(link.delivered).toHaveLength(TOPICS.length);
    connection.endRights(CLOSE_CODES.TOKEN_EXPIRED);
    await append(square);
    expect(link.delivered).toHaveLength(TOPICS.length);
    expect(() => connection.subscribe(2, undefined, 'first')).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
    connection.receive('data', 'bid', 7);
    await eventLoopTurn();
    expect(link.frames.at(-1)).toMatchObject({ op: 'error', id: 7, code: 'FORBIDDEN' });
    connection.closeEnded(CLOSE_CODES.TOKEN_EXPIRED);
    expect(link.closedWith?.code).toBe(4005);
  });

  it('gets nothing that is delivered after a pause of the process, although no timer has run', async () => {
    const clock = new FakeClock();
    const expiry = new Expiry({ clock, wallClock: () => clock.now(), turn: new TurnBudget(clock), random: () => 0 });
    const square = await Square.open({ clock, beforeDelivery: () => expiry.endDue() });
    const short = square.connect(new FakeLink(), { rights: rights(['#']), expiresAt: 10_000 });
    const long = square.connect(new FakeLink(), { rights: rights(['#']), expiresAt: 60_000 });
    for (const { connection } of [short, long]) {
      expiry.add(connection);
      connection.subscribe(1, undefined, undefined);
    }
    await append(square);
    clock.suspend(16_000);
    await append(square);
    expect(short.link.delivered).toHaveLength(TOPICS.length);
    expect(long.link.delivered).toHaveLength(2 * TOPICS.length);
  });

  describe('gets nothing that is replayed after a pause of the process', () => {
    async function open() {
      const clock = new FakeClock();
      const expiry = new Expiry({ clock, wallClock: () => clock.now(), turn: new TurnBudget(clock), random: () => 0 });
      const square = await Square.open({ clock, beforeDelivery: () => expiry.endDue() });
      await append(square);
      const connect = (link = new FakeLink()) => {
        const client = square.connect(link, { rights: rights(['#']), expiresAt: 10_000 });
        expiry.add(client.connection);
        client.connection.subscribe(1, undefined, 'first');
        return client;
      };
      return { clock, connect };
    }

    it('when its turn comes', async () => {
      const { clock, connect } = await open();
      const busy = new FakeLink();
      // The first client uses up the turn.
      busy.onEvents = () => clock.suspend(5);
      connect(busy);
      const { link } = connect();
      for (let n = 0; n < 10; n++) await eventLoopTurn();
      expect(busy.delivered).toHaveLength(TOPICS.length);
      expect(link.delivered).toEqual([]);
      clock.suspend(16_000);
      await clock.settle();
      expect(link.delivered).toEqual([]);
    });

    it('when it can take more', async () => {
      const { clock, connect } = await open();
      const link = new FakeLink();
      link.limit = 0;
      link.bufferedBytes = 1;
      const { connection } = connect(link);
      await clock.settle();
      clock.suspend(16_000);
      link.limit = Number.POSITIVE_INFINITY;
      connection.drained();
      await clock.settle();
      expect(link.delivered).toEqual([]);
    });
  });
});
