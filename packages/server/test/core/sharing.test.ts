import { describe, expect, it } from 'vitest';
import { FakeLink } from './support/fake-link.js';
import { event, events, Square } from './support/square.js';

describe('what many want', () => {
  it('is encoded once per flush and format: a thousand connections get the very same buffers', async () => {
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

  it('is read once from the log: a storm of a thousand that resume from one position', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const [since = ''] = await square.append(events(1));
    // Three pages of the log.
    await square.append(Array.from({ length: 15 }, () => event('t', { data: 'x'.repeat(14_000) })));
    const reads = square.log.calls.read;
    const clients = Array.from({ length: 1_000 }, () => square.subscribe({ since }));
    await square.clock.settle();
    expect(square.log.calls.read - reads).toBe(3);
    for (const { link } of clients) expect(link.delivered).toHaveLength(15);
    // And encoded once: the chunk is shared, too.
    expect(new Set(clients.flatMap(({ link }) => link.buffers)).size).toBe(3);
  });

  it('is not read at all where the window has it', async () => {
    const square = await Square.open();
    const [since = ''] = await square.append(events(50));
    const { read, check, floor } = square.log.calls;
    const clients = Array.from({ length: 200 }, () => square.subscribe({ since }));
    await square.clock.settle();
    expect(square.log.calls).toMatchObject({ read, check, floor });
    expect(new Set(clients.flatMap(({ link }) => link.buffers)).size).toBe(1);
    for (const { link } of clients) expect(link.delivered).toHaveLength(49);
  });

  it('is forgotten with the last who wants it: another subscription of the same words starts anew', async () => {
    const square = await Square.open();
    const first = square.subscribe({ topics: ['thing.#'] });
    first.connection.unsubscribe(1);
    await square.append(events(1));
    const second = square.subscribe({ topics: ['thing.#'] });
    await square.append(events(1));
    expect(second.link.delivered).toHaveLength(1);
    expect(first.link.delivered).toHaveLength(0);
  });

  it('leaves those with other words alone: nothing is encoded for a filter that matches nothing', async () => {
    const square = await Square.open();
    const idle = square.subscribe({ topics: ['shop.#'] });
    const busy = square.subscribe();
    await square.append(events(1));
    expect(idle.link.buffers).toEqual([]);
    expect(busy.link.buffers).toHaveLength(1);
  });
});
