import { describe, expect, it } from 'vitest';
import { TurnShare } from '../../../src/core/time/turn-share.js';
import { FakeClock } from '../support/fake-clock.js';

function open() {
  const clock = new FakeClock();
  let turns = 0;
  const share = new TurnShare(clock, 2, () => {
    turns += 1;
  });
  return { clock, share, turns: () => turns };
}

describe('[I-7] The share of an event loop turn', () => {
  it('has time until it is used up, and again in the next turn', () => {
    const { clock, share } = open();
    expect(share.hasTime).toBe(true);
    clock.advance(1.9);
    expect(share.hasTime).toBe(true);
    clock.advance(0.1);
    expect(share.hasTime).toBe(false);
    clock.turn();
    expect(share.hasTime).toBe(true);
  });

  it('begins with the first piece of work of a turn, not before', () => {
    const { clock, share } = open();
    clock.advance(100);
    expect(share.hasTime).toBe(true);
  });

  it('calls back once in the next turn, however often it is asked for, and not at all if nobody asks', () => {
    const { clock, share, turns } = open();
    share.request();
    share.request();
    expect([share.hasTime, turns()]).toEqual([true, 0]);
    clock.turn();
    expect(turns()).toBe(1);
    clock.turn();
    expect(turns()).toBe(1);
  });

  it('can be asked for again in the callback, for the turn after', () => {
    const clock = new FakeClock();
    const queue = [1, 2, 3];
    const done: number[] = [];
    const share = new TurnShare(clock, 1, () => {
      share.request();
      for (const n of queue.splice(0, 1)) done.push(n);
    });
    share.request();
    clock.turn();
    clock.turn();
    expect(done).toEqual([1, 2]);
  });
});
