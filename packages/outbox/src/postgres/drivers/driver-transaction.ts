import { answerWithin } from '../no-answer.js';

/**
 * Runs `work` in a transaction that the driver begins and ends. A connection that is frozen then cannot be taken from the driver, but
 * nobody waits for it.
 *
 * @param run has the driver run a transaction around what it is given
 * @throws what `work` throws, or {@link NoAnswer} where the transaction is not begun, or not ended, within `answerMs` milliseconds
 */
export async function runDriverTransaction<Tx, T>(
  answerMs: number,
  run: (body: (tx: Tx) => Promise<void>) => Promise<unknown>,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  let isGivenUp = false;
  let working: Promise<T> | undefined;
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const ended = run(async (tx) => {
    if (isGivenUp) throw new Error('the transaction was given up');
    working = work(tx);
    begin();
    await working;
  });
  try {
    await answerWithin(answerMs, Promise.race([begun, ended]));
  } catch (error) {
    isGivenUp = true;
    throw error;
  }
  if (working === undefined) throw new TypeError('the driver did not run the transaction');
  const worked = working.then(
    () => {},
    () => {},
  );
  // It ends before the work is done where the connection is lost.
  await Promise.race([worked, ended]);
  try {
    await answerWithin(answerMs, ended);
  } catch (error) {
    await working;
    throw error;
  }
  return working;
}
