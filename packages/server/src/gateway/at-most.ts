import type { Clock } from '../core/time/clock.js';

/** Resolves when the promise does, and after `ms` at the latest. */
export async function atMost(ms: number, clock: Clock, promise: Promise<unknown>): Promise<void> {
  let cancel: (() => void) | undefined;
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await Promise.race([promise, late]);
  cancel?.();
}
