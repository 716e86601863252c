import { describe, expect, it } from 'vitest';
import { FakeLink } from './support/fake-link.js';
import { event, events, Square } from './support/square.js';

describe('an event or a page that many connections want', () => {
  it('is encoded once per flush and format: a thousand connections get the same buffers', async () => {
    const square = await Square.open();
    const sockets = Array.from({ length: 1_000 }, () => square.subscribe({ topics: ['thing.#', 'thing.1.*'] }));
    const streams = Array.from({ length: 10 }, () =>
      square.subscribe({ topics: ['thing.1.*', 'thing.#', 'thing.#'], link: new FakeLink('sse') }),
    );
    await square.append(events(3));
    await square.append(events(2));
    const buffers = (clients: typeof sockets) => new Set(clients.flatMap(({ link }) => link.buffers));
    expect(buffers(sockets).size).toBe(2);
    expect(buffers(streams).size).toBe(2);
    for (const { link } of [...sockets, ...streams]) expect(link.delivered).toHaveLength(5);
  });

  it('is encoded once for all that want the same events of a flush, whatever their patterns', async () => {
    const square = await Square.open();
    const patterns = [['#'], ['thing.#'], ['thing.1.*', 'shop.#'], ['*.1.done'], ['thing.*.done', 'thing.2.#']];
    const clients = patterns.map((topics) => square.subscribe({ topics }));
    await square.append(events(3));
    expect(new Set(clients.flatMap(({ link }) => link.buffers)).size).toBe(1);
    // A connection that wants other events gets other bytes, even if the number is the same.
    const other = square.subscribe({ topics: ['thing.2.#', 'thing.3.#'] });
    await square.append([event('thing.1.done'), event('thing.2.done'), event('thing.3.done')]);
    expect(clients[2]?.link.delivered.map(({ topic }) => topic).slice(3)).toEqual(['thing.1.done']);
    expect(other.link.delivered.map(({ topic }) => topic)).toEqual(['thing.2.done', 'thing.3.done']);
    expect(new Set([...clients, other].flatMap(({ link }) => link.buffers.slice(-1))).size).toBe(3);
  });

  it('is written in one piece to a connection with several subscriptions, in the same number of flushes', async () => {
    const square = await Square.open();
    const { link, connection } = square.connect();
    for (let id = 1; id <= 5; id++) connection.subscribe(id, [`thing.${id}.#`], undefined);
    await square.append([1, 2, 3, 3, 9].map((n) => event(`thing.${n}.done`)));
    expect(link.delivered).toHaveLength(4);
    expect(link.pieces).toBe(1);
    await square.append(events(1));
    expect(link.pieces).toBe(2);
  });

  it('is read once from the log in a storm of a thousand clients that resume from one position', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const [since = ''] = await square.append(events(1));
    // Three pages of the log.
    await square.append(Array.from({ length: 15 }, () => event('t', { data: 'x'.repeat(14_000) })));
    const { read: reads, check: checks } = { ...square.log.calls };
    const clients = Array.from({ length: 1_000 }, () => square.subscribe({ since }));
    await square.clock.settle();
    expect(square.log.calls.read - reads).toBe(3);
    // Two checks for the position, for all of them; one for each page.
    expect(square.log.calls.check - checks).toBe(5);
    for (const { link } of clients) expect(link.delivered).toHaveLength(15);
    // The chunk is shared too, so it is encoded once.
    expect(new Set(clients.flatMap(({ link }) => link.buffers)).size).toBe(3);
  });

  it('[I-4] has its position checked again after a short time, whether it was found or not', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const [since = ''] = await square.append(events(2));
    const checks = () => square.log.calls.check;
    square.subscribe({ since });
    await square.clock.settle();
    const once = checks();
    square.clock.advance(19);
    square.subscribe({ since });
    await square.clock.settle();
    expect(checks()).toBe(once);
    square.clock.advance(1);
    square.subscribe({ since });
    await square.clock.settle();
    expect(checks()).toBe(once + 2);
    square.clock.advance(1_000);
    const [later = ''] = await square.append(events(3));
    await square.log.inner.trim({ maxCount: 1 });
    square.clock.advance(1_000);
    const gone = [square.subscribe({ since: later }), square.subscribe({ since: later })];
    await square.clock.settle();
    for (const { link } of gone) expect(link.frames[0]).toMatchObject({ op: 'reset', reason: 'truncated' });
    const asked = checks();
    square.subscribe({ since: later });
    await square.clock.settle();
    expect(checks()).toBe(asked + 1);
  });

  it('is not read from the log if the window has it', async () => {
    const square = await Square.open();
    const [since = ''] = await square.append(events(50));
    const { read, check, floor } = square.log.calls;
    const clients = Array.from({ length: 200 }, () => square.subscribe({ since }));
    await square.clock.settle();
    expect(square.log.calls).toMatchObject({ read, check, floor });
    expect(new Set(clients.flatMap(({ link }) => link.buffers)).size).toBe(1);
    for (const { link } of clients) expect(link.delivered).toHaveLength(49);
  });

  it('is released with the last subscription: a later one with the same topics starts over', async () => {
    const square = await Square.open();
    const first = square.subscribe({ topics: ['thing.#'] });
    first.connection.unsubscribe(1);
    await square.append(events(1));
    const second = square.subscribe({ topics: ['thing.#'] });
    await square.append(events(1));
    expect(second.link.delivered).toHaveLength(1);
    expect(first.link.delivered).toHaveLength(0);
  });

  it('costs nothing for other topics: nothing is encoded for a filter that matches nothing', async () => {
    const square = await Square.open();
    const idle = square.subscribe({ topics: ['shop.#'] });
    const busy = square.subscribe();
    await square.append(events(1));
    expect(idle.link.buffers).toEqual([]);
    expect(busy.link.buffers).toHaveLength(1);
  });
});
