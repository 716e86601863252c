import { describe, expect, it } from 'vitest';
import { FlushScheduler } from '../../src/core/delivery/flush-scheduler.js';
import { FakeClock } from './support/fake-clock.js';

function scheduler(intervalMs: number, flush: () => void = () => {}) {
  const clock = new FakeClock();
  const at: number[] = [];
  const flushes = new FlushScheduler(
    () => {
      at.push(clock.now());
      flush();
    },
    intervalMs,
    clock,
  );
  return { clock, at, flushes };
}

describe('FlushScheduler', () => {
  it('flushes at once when idle', () => {
    const { at, flushes } = scheduler(10);
    flushes.request();
    expect(at).toEqual([0]);
  });

  it('flushes at most once per interval, and once for all requests in between', () => {
    const { clock, at, flushes } = scheduler(10);
    flushes.request();
    for (let ms = 0; ms < 35; ms++) {
      clock.advance(1);
      flushes.request();
      flushes.request();
    }
    expect(at).toEqual([0, 10, 20, 30]);
  });

  it('rests after the last flush, and then flushes at once again', () => {
    const { clock, at, flushes } = scheduler(10);
    flushes.request();
    clock.advance(100);
    expect(at).toEqual([0]);
    expect(clock.timers).toBe(0);
    flushes.request();
    expect(at).toEqual([0, 100]);
  });

  it('flushes once per turn of the event loop if the interval is 0', () => {
    const { clock, at, flushes } = scheduler(0);
    for (let i = 0; i < 5; i++) flushes.request();
    expect(at).toHaveLength(1);
    clock.turn();
    expect(at).toHaveLength(2);
    clock.turn();
    expect(at).toHaveLength(2);
    expect(clock.turns).toBe(0);
  });

  it('serves a request during a flush with the next flush', () => {
    const asked = { again: true };
    const { clock, at, flushes } = scheduler(10, () => {
      if (asked.again) flushes.request();
      asked.again = false;
    });
    flushes.request();
    expect(at).toEqual([0]);
    clock.advance(10);
    expect(at).toEqual([0, 10]);
  });

  it('[I-8] continues after a flush that threw', () => {
    const { clock, at, flushes } = scheduler(10, () => {
      throw new Error('boom');
    });
    expect(() => flushes.request()).toThrow('boom');
    clock.advance(10);
    expect(() => flushes.request()).toThrow('boom');
    expect(at).toEqual([0, 10]);
  });
});
