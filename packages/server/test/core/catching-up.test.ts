import { describe, expect, it } from 'vitest';
import { CatchingUp } from '../../src/core/catch-up/catching-up.js';
import { Chunk } from '../../src/core/delivery/chunk.js';
import { eventLoopTurn, FakeClock } from './support/fake-clock.js';
import { FakeLink } from './support/fake-link.js';
import { events, Square } from './support/square.js';

/** Takes as many chunks as the test wants, each in half a millisecond: two fill a turn. */
class Reader {
  readonly taken: string[];
  readonly #name: string;
  readonly #clock: FakeClock;
  readonly #catchingUp: CatchingUp;
  #wants: number;

  constructor(name: string, wants: number, shared: { taken: string[]; clock: FakeClock; catchingUp: CatchingUp }) {
    this.taken = shared.taken;
    this.#name = name;
    this.#wants = wants;
    this.#clock = shared.clock;
    this.#catchingUp = shared.catchingUp;
  }

  advance(read?: Chunk): void {
    let next = read;
    for (; this.#wants > 0; this.#wants--) {
      if (!this.#catchingUp.isFree) return this.#catchingUp.wait(this, next ?? new Chunk(this.#wants, 0, []));
      this.taken.push(next ? `${this.#name}${next.after}` : this.#name);
      next = undefined;
      this.#clock.advance(0.5);
    }
  }
}

function readers(...wants: [name: string, count: number][]) {
  const clock = new FakeClock();
  const taken: string[] = [];
  const shared = { taken, clock, catchingUp: new CatchingUp(clock) };
  const all = wants.map(([name, count]) => new Reader(name, count, shared));
  return { all, ...shared };
}

describe('subscriptions behind the edge', () => {
  it('[I-8] take at most a millisecond of one turn in total, first come, first served', () => {
    const { clock, all, taken } = readers(['a', 1], ['b', 1], ['c', 1], ['d', 1], ['e', 1]);
    for (const reader of all) reader.advance();
    expect(taken).toEqual(['a', 'b']);
    clock.turn();
    expect(taken).toEqual(['a', 'b', 'c1', 'd1']);
    clock.turn();
    expect(taken).toEqual(['a', 'b', 'c1', 'd1', 'e1']);
    clock.turn();
    expect(clock.turns).toBe(0);
  });

  it('[I-8] take turns: a subscription that needs many chunks queues again behind the waiting ones', () => {
    const { clock, all, taken } = readers(['a', 4], ['b', 1], ['c', 1]);
    for (const reader of all) reader.advance();
    while (clock.turns > 0) clock.turn();
    expect(taken.map(([name]) => name).join('')).toBe('aaaabc');
    const { clock: second, all: more, taken: shared } = readers(['a', 5], ['b', 1], ['c', 1]);
    for (const reader of more) reader.advance();
    while (second.turns > 0) second.turn();
    expect(shared.map(([name]) => name).join('')).toBe('aaaabca');
  });

  it('get their chunk after waiting, and nothing if they ended in the meantime', () => {
    const { clock, all, taken, catchingUp } = readers(['a', 2], ['b', 7], ['c', 1]);
    for (const reader of all) reader.advance();
    const [, b] = all;
    if (b) catchingUp.delete(b);
    while (clock.turns > 0) clock.turn();
    expect(taken).toEqual(['a', 'a', 'c1']);
  });

  it('[I-1][I-2][I-8] catch up over many turns in a storm, while subscriptions at the edge get new events', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const [since = ''] = await square.append(events(101));
    const present = square.subscribe({});
    const returning = Array.from({ length: 200 }, () => {
      const link = new FakeLink();
      // A turn has time for ten.
      link.onEvents = () => square.clock.advance(0.1);
      return square.subscribe({ since, link });
    });
    const away = () => returning.filter(({ link }) => link.delivered.length < 100).length;
    let turns = 0;
    let heard = 0;
    for (; away() > 0; turns++) {
      await square.log.append(events(1));
      await eventLoopTurn();
      square.clock.turn();
      if (away() > 0) heard = present.link.delivered.length;
    }
    expect(turns).toBeGreaterThanOrEqual(200 / 10);
    expect(heard).toBeGreaterThan(5);
    await square.clock.settle();
    expect(present.link.delivered).toHaveLength(turns);
    for (const { link } of returning) {
      expect(link.delivered).toHaveLength(100 + turns);
      expect(link.eventIds.slice(100)).toEqual(present.link.eventIds);
    }
  });
});
