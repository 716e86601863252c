import { setTimeout as delay } from 'node:timers/promises';

/** Looks again and again until it is so, and fails with what was seen last when it has not come to be in time. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  isSo: (value: T) => boolean,
  deadlineMs = 100_000,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const value = await look();
    if (isSo(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`not within ${deadlineMs} ms; seen last: ${JSON.stringify(value)?.slice(0, 400)}`);
    }
    await delay(10);
  }
}
