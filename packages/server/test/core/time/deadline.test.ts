import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { answerWithin, atMost, pause, within } from '../../../src/core/time/deadline.js';

/** Timers that run when the test says so. */
class ManualTimers {
  readonly pending = new Map<() => void, number>();

  after(ms: number, callback: () => void): () => void {
    this.pending.set(callback, ms);
    return () => this.pending.delete(callback);
  }

  fire(): void {
    for (const callback of this.pending.keys()) {
      this.pending.delete(callback);
      callback();
    }
  }
}

const never = new Promise<never>(() => {});

describe('a deadline', () => {
  it('passes on a result that comes in time, and leaves no timer', async () => {
    const timers = new ManualTimers();
    expect(await within(50, Promise.resolve('here'), () => 'late', timers)).toBe('here');
    await expect(within(50, Promise.reject(new Error('refused')), () => 'late', timers)).rejects.toThrow('refused');
    expect(timers.pending.size).toBe(0);
  });

  it('ends the wait with the result or error of `late`', async () => {
    const timers = new ManualTimers();
    const value = within(50, never, () => 'late', timers);
    const error = within(
      50,
      never,
      () => {
        throw new RangeError('too late');
      },
      timers,
    );
    expect([...timers.pending.values()]).toEqual([50, 50]);
    timers.fire();
    expect(await value).toBe('late');
    await expect(error).rejects.toThrow(RangeError);
  });

  it('may act when it passes, and continue to wait', async () => {
    const timers = new ManualTimers();
    let end = (_: string) => {};
    const ended = new Promise<string>((resolve) => {
      end = resolve;
    });
    const late = () => {
      end('forced');
      return ended;
    };
    const forced = within(50, ended, late, timers);
    timers.fire();
    expect(await forced).toBe('forced');
  });

  it('drops a later result, even an error', async () => {
    const timers = new ManualTimers();
    let fail = (_: Error) => {};
    const failing = new Promise<void>((_, reject) => {
      fail = reject;
    });
    const waiting = atMost(50, failing, timers);
    timers.fire();
    expect(await waiting).toBeUndefined();
    // Without a handler, this would be an unhandled rejection and fail the run.
    fail(new Error('late'));
  });

  it('names the call that gave no answer', async () => {
    await expect(answerWithin(1.4, 'reading', never)).rejects.toThrow('reading: no answer within 1 ms');
  });
});

describe('a pause', () => {
  it('ends when its time is over, or when the signal is aborted, and leaves neither timer nor listener', async () => {
    const timers = new ManualTimers();
    const { signal } = new AbortController();
    const over = pause(50, signal, timers);
    timers.fire();
    await over;
    expect(getEventListeners(signal, 'abort')).toEqual([]);

    const controller = new AbortController();
    const ended = pause(50, controller.signal, timers);
    controller.abort();
    await ended;
    await pause(50, controller.signal, timers);
    expect(timers.pending.size).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });
});
