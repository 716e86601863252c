import { collectNow } from '../../../../../test/support/collections.js';

export { collectNow };

/** Collects over some turns: a WeakRef holds its target until the turn in which it was created is over. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    collectNow();
  }
}
