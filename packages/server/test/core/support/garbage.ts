import { collectNow } from '../../../../../test/support/collections.js';

export { collectNow };

/** The same over some turns: a WeakRef holds its target until the turn in which it was made is over. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    collectNow();
  }
}
