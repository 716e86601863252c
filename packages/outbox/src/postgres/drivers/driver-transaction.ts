import { answerWithin } from '../no-answer.js';

/**
 * Runs `work` in a transaction that the driver begins and ends. A connection that freezes cannot be taken from the
 * driver, but this function stops waiting for it.
 *
 * @param run makes the driver run a transaction around its argument
 * @throws the error of `work`; {@link NoAnswer} if the transaction does not begin, or does not end, within `answerMs`
 * milliseconds
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
    if (isGivenUp) throw new Error('the transaction was abandoned: it began too late');
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
  // If the connection is lost, the transaction ends before the work does.
  await Promise.race([worked, ended]);
  try {
    await answerWithin(answerMs, ended);
  } catch (error) {
    await working;
    throw error;
  }
  return working;
}
