import { describe, expect, it } from 'vitest';
import { Liveness } from '../../src/connection/liveness.js';
import { FakeClock } from '../support/fake-clock.js';

function watch(intervalMs: number) {
  const clock = new FakeClock();
  const seen: string[] = [];
  const liveness = new Liveness(clock, intervalMs, {
    ping: () => seen.push('ping'),
    dead: () => seen.push('dead'),
  });
  return { clock, seen, liveness };
}

describe('liveness', () => {
  it('[001-12] pings after one silent interval, and gives up after another, 10 s at most', async () => {
    const { clock, seen } = watch(25_000);
    await clock.advance(24_999);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual(['ping']);
    await clock.advance(9_999);
    expect(seen).toEqual(['ping']);
    await clock.advance(1);
    expect(seen).toEqual(['ping', 'dead']);
    expect(clock.pending).toBe(0);
  });

  it('[001-12] gives up after the interval itself if that is shorter than 10 s', async () => {
    const { clock, seen } = watch(1_000);
    await clock.advance(1_999);
    expect(seen).toEqual(['ping']);
    await clock.advance(1);
    expect(seen).toEqual(['ping', 'dead']);
  });

  it('sends no ping while anything arrives, and counts the silence from the last sign of life', async () => {
    const { clock, seen, liveness } = watch(1_000);
    for (let i = 0; i < 20; i++) {
      await clock.advance(900);
      liveness.heard();
    }
    expect(seen).toEqual([]);
    await clock.advance(999);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual(['ping']);
  });

  it('accepts any sign of life as the answer, and pings again after the next silence', async () => {
    const { clock, seen, liveness } = watch(1_000);
    await clock.advance(1_500);
    liveness.heard();
    await clock.advance(999);
    expect(seen).toEqual(['ping']);
    await clock.advance(1);
    expect(seen).toEqual(['ping', 'ping']);
  });

  it('pings first after a sleep of the device, and gives the gateway its time to answer', async () => {
    const { clock, seen, liveness } = watch(1_000);
    clock.jump(3_600_000);
    await clock.advance(1_000);
    expect(seen).toEqual(['ping']);
    await clock.advance(999);
    liveness.heard();
    await clock.advance(1);
    expect(seen).toEqual(['ping']);
  });

  it('restarts the count of silence when the clock is set back', async () => {
    const { clock, seen } = watch(1_000);
    clock.jump(-3_600_000);
    await clock.advance(1_999);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual(['ping']);
    await clock.advance(1_000);
    expect(seen).toEqual(['ping', 'dead']);
  });

  it('pings on demand, with a separate deadline for the answer', async () => {
    const { clock, seen, liveness } = watch(25_000);
    liveness.probe(2_000);
    liveness.probe(2_000);
    expect(seen).toEqual(['ping']);
    await clock.advance(2_000);
    expect(seen).toEqual(['ping', 'dead']);
  });

  it('is silent once stopped', async () => {
    const { clock, seen, liveness } = watch(1_000);
    liveness.stop();
    await clock.advance(10_000);
    expect(seen).toEqual([]);
  });
});
