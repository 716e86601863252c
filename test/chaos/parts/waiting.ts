import { setTimeout as delay } from 'node:timers/promises';

/** @throws Error if the condition is not met in time */
export async function waitUntil(what: string, isSo: () => boolean, deadlineMs: number): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await delay(50);
  }
}
