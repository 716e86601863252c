import { setTimeout as delay } from 'node:timers/promises';

/** Calls `look` repeatedly until its value satisfies `isSo`; throws with the last value if the deadline passes. */
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
