import { expect, it } from 'vitest';
import { Restarts } from '../../src/workers/restarts.js';

it('a worker is restarted soon, and with growing delays if it ends again and again', () => {
  const restarts = new Restarts(() => 1);
  const pauses = Array.from({ length: 8 }, () => restarts.ended(0));
  expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
});

it('the delays start again after a worker has served for a while', () => {
  const restarts = new Restarts(() => 1);
  for (let n = 0; n < 6; n++) restarts.ended(500);
  expect(restarts.isHopeless).toBe(true);
  expect(restarts.ended(10_000)).toBe(100);
  expect(restarts.isHopeless).toBe(false);
});
