import { describe, expect, it } from 'vitest';
import { RevocableConnections } from '../../../src/access/revocations/revocable-connections.js';
import type { Revocable } from '../../../src/core/connections/revocable.js';
import { TurnBudget } from '../../../src/core/incoming/turn-budget.js';
import { FakeClock } from '../../core/support/fake-clock.js';

function open() {
  const clock = new FakeClock();
  const failures: unknown[] = [];
  const onFailed = (error: unknown) => failures.push(error);
  const connections = new RevocableConnections({ clock, turn: new TurnBudget(clock), onFailed });
  const happened: string[] = [];
  const connect = (sub: string | undefined, costMs = 0, more: Partial<Revocable> = {}): Revocable => {
    const connection: Revocable = {
      identity: sub === undefined ? undefined : { iss: 'shop', sub },
      endRights({ code }) {
        clock.advance(costMs);
        happened.push(`${sub} ends with ${code}`);
      },
      closeEnded({ code }) {
        clock.advance(costMs);
        happened.push(`${sub} closes with ${code}`);
      },
      ...more,
    };
    connections.add(connection);
    return connection;
  };
  const end = (subs: readonly string[]) => connections.end(({ sub }) => subs.includes(sub));
  /** Runs turns until nothing is left to do. @returns how long the longest took */
  const finish = () => {
    let longest = 0;
    while (clock.turns > 0) {
      const before = clock.now();
      clock.turn();
      longest = Math.max(longest, clock.now() - before);
    }
    return longest;
  };
  return { clock, connections, connect, end, finish, happened, failures };
}

describe('[H-06] [I-11] Open connections', () => {
  it('of a revoked identity lose their rights at once, all of them before the first is closed', () => {
    const { connect, end, finish, happened } = open();
    for (const sub of ['ada', 'bob', undefined, 'ada']) connect(sub);
    end(['ada']);
    expect(happened).toEqual(['ada ends with 4506', 'ada ends with 4506']);
    finish();
    expect(happened.slice(2)).toEqual(['ada closes with 4506', 'ada closes with 4506']);
  });

  it('that were removed are not touched', () => {
    const { connections, connect, end, finish, happened } = open();
    connections.delete(connect('ada'));
    end(['ada']);
    finish();
    expect(happened).toEqual([]);
    expect(connections.size).toBe(0);
  });

  it('[I-7] in large numbers are ended over several turns, each of which is short', () => {
    const { clock, connect, end, finish, happened } = open();
    const COUNT = 2_000;
    for (let i = 0; i < COUNT; i++) connect('ada', 0.02);
    const before = clock.now();
    end(['ada']);
    expect(clock.now() - before).toBeLessThan(10);
    expect(happened.length).toBeLessThan(COUNT);
    expect(finish()).toBeLessThan(10);
    expect(happened).toHaveLength(2 * COUNT);
    expect(happened.slice(0, COUNT).every((text) => text.includes('ends'))).toBe(true);
  });

  it('[I-8] are ended although a handler of one of them throws', () => {
    const { connect, end, finish, happened, failures } = open();
    const fail = () => {
      throw new Error('a handler failed');
    };
    connect('ada', 0, { endRights: fail, closeEnded: fail });
    connect('ada');
    end(['ada']);
    finish();
    expect(happened).toEqual(['ada ends with 4506', 'ada closes with 4506']);
    expect(failures).toHaveLength(2);
  });
});
