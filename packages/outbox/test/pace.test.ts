import { describe, expect, it } from 'vitest';
import { Pace, QUIET_MS } from '../src/postgres/relay/pace.js';

describe('Pace', () => {
  it('lets writers notify while events come slowly, a hundred a second say', () => {
    const pace = new Pace();
    for (let now = 0; now < 60_000; now += 10) {
      expect(pace.note(1, now)).toBe(false);
      expect(pace.restMs(now)).toBeUndefined();
    }
  });

  it('tells them to keep quiet while events come fast, in time before they speak up again', () => {
    const pace = new Pace();
    let toldAt = Number.NEGATIVE_INFINITY;
    for (let now = 0; now < 60_000; now += 10) {
      if (pace.note(10, now)) toldAt = now;
      if (now > 500) expect(now - toldAt).toBeLessThan(QUIET_MS);
    }
  });

  it('has a relay that has just begun look often, as nobody knows what writers were told before', () => {
    const pace = new Pace();
    pace.begin(7);
    expect(pace.restMs(7 + QUIET_MS)).toBeLessThanOrEqual(10);
    expect(pace.note(1_000, 8)).toBe(true);
  });

  it('tells them at most twice in the time that they keep quiet', () => {
    const pace = new Pace();
    let told = 0;
    for (let now = 0; now < 10_000; now++) told += pace.note(100, now) ? 1 : 0;
    expect(told).toBeLessThanOrEqual((2 * 10_000) / QUIET_MS + 1);
  });

  it('has the relay look often while they are quiet and a little longer, for those who added meanwhile and commit later', () => {
    const pace = new Pace();
    pace.note(1_000, 5);
    expect(pace.restMs(5)).toBeLessThanOrEqual(10);
    expect(pace.restMs(5 + QUIET_MS + 500)).toBeLessThanOrEqual(10);
    expect(pace.restMs(5 + 3 * QUIET_MS)).toBeUndefined();
  });
});
