import { describe, expect, it } from 'vitest';
import type { FaultChoice } from './faults/fault.js';
import { scheduleFaults } from './faults/schedule.js';
import { Random } from './random.js';

const CHOICES: readonly FaultChoice[] = ['application', 'gateway-1', 'gateway-2', 'link'].map((target) => ({
  kind: 'kill',
  target,
  weight: 1,
  durationMs: [50, 3_000],
  recoveryMs: 2_500,
}));

const schedule = (seed: number, minutes: number) =>
  scheduleFaults(CHOICES, minutes * 60_000, new Random(seed, 'faults'));

describe('A schedule of faults', () => {
  it('is the same for the same seed, and different for another one', () => {
    expect(schedule(7, 10)).toEqual(schedule(7, 10));
    expect(schedule(7, 10)).not.toEqual(schedule(8, 10));
  });

  it('has at least 200 faults in 10 minutes and about 20 in each minute, in order', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const faults = schedule(seed, 10);
      expect(faults.length).toBeGreaterThanOrEqual(200);
      expect(faults).toEqual([...faults].sort((a, b) => a.atMs - b.atMs));
      for (let minute = 0; minute < 10; minute++) {
        const inMinute = faults.filter(({ atMs }) => Math.floor(atMs / 60_000) === minute);
        expect(inMinute.length).toBeGreaterThanOrEqual(18);
      }
    }
  });

  it('leaves a target alone until it has recovered', () => {
    for (const target of CHOICES) {
      const hits = schedule(7, 10).filter((fault) => fault.target === target.target);
      hits.slice(1).forEach((fault, i) => {
        const before = hits[i];
        expect(fault.atMs).toBeGreaterThanOrEqual((before?.atMs ?? 0) + (before?.durationMs ?? 0) + target.recoveryMs);
      });
    }
  });
});
