import { describe, expect, it } from 'vitest';
import { type Expiring, Expiry } from '../../../src/core/connections/expiry.js';
import { TurnBudget } from '../../../src/core/incoming/turn-budget.js';
import { FakeClock } from '../support/fake-clock.js';

function open(random = () => 0.5) {
  const clock = new FakeClock();
  const expiry = new Expiry({ clock, wallClock: () => clock.now(), turn: new TurnBudget(clock), random });
  const happened: string[] = [];
  const connect = (name: string, expiresAt: number | undefined, costMs = 0): Expiring => {
    const connection: Expiring = {
      expiresAt,
      endRights() {
        clock.advance(costMs);
        happened.push(`${name} ends at ${Math.round(clock.now())}`);
      },
      closeEnded: () => happened.push(`${name} closes at ${Math.round(clock.now())}`),
    };
    expiry.add(connection);
    return connection;
  };
  /** Lets time pass in steps, with an event loop turn after each. */
  const pass = (ms: number) => {
    for (let step = 0; step < ms; step += 50) {
      clock.advance(50);
      clock.turn();
    }
  };
  return { clock, expiry, happened, connect, pass };
}

/** The time of day when a test begins. */
const TODAY = Date.UTC(2030, 0, 1);

/** A connection whose identity expires in 10 seconds, on a machine whose time of day can jump. */
function openByDay() {
  const clock = new FakeClock();
  let jumpedMs = 0;
  const wallClock = () => TODAY + clock.now() + jumpedMs;
  const expiry = new Expiry({ clock, wallClock, turn: new TurnBudget(clock), random: () => 0 });
  const ended: number[] = [];
  const identity = { expiresAtMs: TODAY + 10_000 };
  const connection: Expiring = {
    expiresAt: 10_000,
    identity,
    endRights: () => ended.push(clock.now()),
    closeEnded: () => {},
  };
  expiry.add(connection);
  const jump = (ms: number) => {
    jumpedMs += ms;
  };
  const pass = (ms: number) => {
    for (let step = 0; step < ms; step += 50) {
      clock.advance(50);
      clock.turn();
    }
  };
  return { clock, expiry, connection, ended, jump, pass };
}

describe('[I-11] rights end by the time of day, too', () => {
  it('before a delivery after the machine was suspended, which stops its timers and its clock', () => {
    const { clock, expiry, ended, jump, pass } = openByDay();
    pass(1_000);
    jump(14_500);
    expiry.endDue();
    expect(ended).toEqual([1_000]);
    pass(30_000);
    expect(ended).toHaveLength(1);
    expect(clock.timers).toBe(0);
  });

  it('within a second after the machine was suspended, if nothing is delivered', () => {
    const { ended, jump, pass } = openByDay();
    jump(3_600_000);
    pass(1_100);
    expect(ended).toEqual([1_000]);
  });

  it('and the time of day does not extend them if it is set back', () => {
    const { ended, jump, pass } = openByDay();
    jump(-3_600_000);
    pass(14_900);
    expect(ended).toEqual([]);
    pass(200);
    expect(ended).toHaveLength(1);
  });

  it('not of a connection that left, or whose identity was renewed', () => {
    const { expiry, connection, ended, jump, pass } = openByDay();
    expiry.delete(connection);
    jump(3_600_000);
    pass(30_000);
    expect(ended).toEqual([]);
  });
});

describe('[I-11] the expiry of connections', () => {
  it('ends rights before a delivery, also if the timer is late because the process was suspended', () => {
    const { clock, expiry, connect, happened } = open();
    connect('a', 10_000);
    connect('b', 12_000);
    clock.suspend(16_000);
    expiry.endDue();
    expect(happened).toEqual(['a ends at 16000']);
    clock.suspend(1_000);
    expiry.endDue();
    expiry.endDue();
    expect(happened).toEqual(['a ends at 16000', 'b ends at 17000']);
  });

  it('ends rights before a delivery, also if they wait for their event loop turn', () => {
    const { clock, expiry, connect, happened } = open();
    connect('a', 10_000);
    clock.advance(15_250);
    expect(happened).toEqual([]);
    expiry.endDue();
    expect(happened).toEqual(['a ends at 15250']);
    clock.turn();
    expect(happened).toHaveLength(1);
  });

  it('ends many rights before a delivery for a few milliseconds, and the rest in later turns', () => {
    const { clock, expiry, connect, happened, pass } = open();
    for (let n = 0; n < 100; n++) connect(`${n}`, 10_000, 1);
    clock.suspend(16_000);
    expiry.endDue();
    expect(happened).toHaveLength(5);
    pass(5_000);
    expect(happened.filter((text) => text.includes('ends'))).toHaveLength(100);
  });

  it('ends rights 5 seconds after the identity expires, and closes within 5 seconds more', () => {
    const { connect, pass, happened } = open();
    connect('a', 10_000);
    pass(14_950);
    expect(happened).toEqual([]);
    pass(300);
    expect(happened).toEqual([expect.stringMatching(/^a ends at 15[012]\d\d$/)]);
    pass(2_600);
    expect(happened[1]).toMatch(/^a closes at 17[5678]\d\d$/);
  });

  it('leaves out a connection whose identity was renewed while it waited for its turn', () => {
    const { connect, expiry, pass, happened, clock } = open();
    connect('costly', 1_000, 50);
    const renewed = connect('renewed', 1_000);
    clock.advance(6_000);
    clock.turn();
    expect(happened).toEqual([expect.stringMatching(/^costly ends/)]);
    expiry.delete(renewed);
    pass(10_000);
    expect(happened.filter((line) => line.includes('renewed'))).toEqual([]);
  });

  it('takes connections in the order in which they expire, whatever the order in which they came', () => {
    const { connect, pass, happened } = open();
    connect('late', 9_000);
    connect('early', 1_000);
    connect('middle', 5_000);
    connect('never', undefined);
    pass(30_000);
    expect(happened.filter((line) => line.includes('ends')).map((line) => line.split(' ')[0])).toEqual([
      'early',
      'middle',
      'late',
    ]);
  });

  it('waits for an end that is further away than one timer can wait', () => {
    const days = 86_400_000;
    const { clock, connect, happened } = open();
    const delays: number[] = [];
    const after = clock.after.bind(clock);
    clock.after = (ms, run) => {
      delays.push(ms);
      return after(ms, run);
    };
    connect('a', 60 * days);
    clock.advance(59 * days);
    clock.turn();
    expect(happened).toEqual([]);
    expect(Math.max(...delays)).toBeLessThan(2 ** 31);
    clock.advance(2 * days);
    clock.turn();
    clock.turn();
    expect(happened[0]).toMatch(/^a ends/);
  });

  it('forgets a connection that left before, and keeps no timer for nobody', () => {
    const { connect, expiry, pass, happened } = open();
    const connection = connect('a', 1_000);
    expiry.delete(connection);
    expect(expiry.size).toBe(0);
    pass(20_000);
    expect(happened).toEqual([]);
  });

  it('[I-7] spreads many that expire in one moment over turns', () => {
    const { clock, connect, happened } = open();
    for (let n = 0; n < 100; n++) connect(`${n}`, 0, 0.5);
    clock.advance(5_001);
    clock.turn();
    const first = happened.length;
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(12);
    for (let n = 0; n < 30; n++) clock.turn();
    expect(happened.filter((line) => line.includes('ends'))).toHaveLength(100);
  });

  it('spreads the closes over 5 seconds', () => {
    let last = 0;
    const { connect, pass, happened } = open(() => (last = (last + 0.21) % 1));
    for (let n = 0; n < 50; n++) connect(`${n}`, 0);
    pass(12_000);
    const closes = happened.flatMap((line) => /closes at (\d+)/.exec(line)?.[1] ?? []).map(Number);
    expect(closes).toHaveLength(50);
    const seconds = new Set(closes.map((at) => Math.floor(at / 1_000)));
    expect(seconds.size).toBeGreaterThanOrEqual(5);
    expect(Math.max(...closes)).toBeLessThan(10_500);
  });
});
