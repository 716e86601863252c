import { describe, expect, it } from 'vitest';
import { TurnBudget } from '../../../src/core/incoming/turn-budget.js';
import { FakeClock } from '../support/fake-clock.js';

function budget() {
  const clock = new FakeClock();
  const turn = new TurnBudget(clock, 5);
  return { clock, turn, work: (ms: number) => turn.run(() => clock.advance(ms)) };
}

describe('[fault A8] TurnBudget', () => {
  it('is available until the time of a turn is spent, and again in the next turn', () => {
    const { clock, turn, work } = budget();
    work(4);
    expect(turn.isFree).toBe(true);
    work(1);
    expect([turn.isFree, turn.isSpent]).toEqual([false, true]);
    clock.turn();
    expect([turn.isFree, turn.isSpent]).toEqual([true, false]);
  });

  it('counts nested work once, and counts work that throws', () => {
    const { clock, turn, work } = budget();
    turn.run(() => work(3));
    expect(turn.isSpent).toBe(false);
    const failing = () => {
      clock.advance(2);
      throw new Error('no');
    };
    expect(() => turn.run(failing)).toThrow('no');
    expect(turn.isSpent).toBe(true);
  });

  it('resumes waiting work in order, as much per turn as it has time for, and queues new work behind it', () => {
    const { clock, turn } = budget();
    const order: number[] = [];
    for (let client = 0; client < 5; client++) {
      turn.wait(() => {
        clock.advance(3);
        order.push(client);
      });
    }
    expect(turn.isFree).toBe(false);
    clock.turn();
    expect(order).toEqual([0, 1]);
    expect(turn.isFree).toBe(false);
    clock.turn();
    clock.turn();
    expect(order).toEqual([0, 1, 2, 3, 4]);
    clock.turn();
    expect(turn.isFree).toBe(true);
    expect(clock.turns).toBe(0);
  });

  it('queues work that waits again behind the others', () => {
    const { clock, turn } = budget();
    const order: string[] = [];
    const client = (name: string, frames: number) => {
      turn.wait(() => {
        clock.advance(5);
        order.push(name);
        if (frames > 1) client(name, frames - 1);
      });
    };
    client('a', 3);
    client('b', 2);
    for (let turns = 0; turns < 6; turns++) clock.turn();
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a']);
  });

  it('limits the frames and bytes of one client in a turn', () => {
    const { clock, turn } = budget();
    const [client, other] = [{}, {}];
    const handled = () => {
      let frames = 1;
      while (turn.mayGoOn(client, 100)) frames += 1;
      return frames;
    };
    expect(handled()).toBe(16);
    expect(turn.mayGoOn(other, 16_383)).toBe(true);
    expect(turn.mayGoOn(other, 1)).toBe(false);
    clock.turn();
    expect(turn.mayGoOn(client, 1_000_000)).toBe(false);
    clock.turn();
    expect(handled()).toBe(16);
  });
});
