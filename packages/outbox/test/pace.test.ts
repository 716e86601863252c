import { describe, expect, it } from 'vitest';
import { Pace, QUIET_MS } from '../src/postgres/relay/pace.js';

describe('Pace', () => {
  it('lets writers notify while events come slowly, for example a hundred a second', () => {
    const pace = new Pace();
    for (let now = 0; now < 60_000; now += 10) {
      expect(pace.note(1, now)).toBe(false);
      expect(pace.restMs(now)).toBeUndefined();
    }
  });

  it('tells writers to be quiet while events come fast, before the previous quiet time ends', () => {
    const pace = new Pace();
    let toldAt = Number.NEGATIVE_INFINITY;
    for (let now = 0; now < 60_000; now += 10) {
      if (pace.note(10, now)) toldAt = now;
      if (now > 500) expect(now - toldAt).toBeLessThan(QUIET_MS);
    }
  });

  it('lets a new relay poll often, since it does not know what writers were told before', () => {
    const pace = new Pace();
    pace.begin(7);
    expect(pace.restMs(7 + QUIET_MS)).toBeLessThanOrEqual(10);
    expect(pace.note(1_000, 8)).toBe(true);
  });

  it('tells writers at most twice in each quiet time', () => {
    const pace = new Pace();
    let told = 0;
    for (let now = 0; now < 10_000; now++) told += pace.note(100, now) ? 1 : 0;
    expect(told).toBeLessThanOrEqual((2 * 10_000) / QUIET_MS + 1);
  });

  it('lets the relay poll often during the quiet time and slightly longer, for writers that added then and commit later', () => {
    const pace = new Pace();
    pace.note(1_000, 5);
    expect(pace.restMs(5)).toBeLessThanOrEqual(10);
    expect(pace.restMs(5 + QUIET_MS + 500)).toBeLessThanOrEqual(10);
    expect(pace.restMs(5 + 3 * QUIET_MS)).toBeUndefined();
  });
});
