import { within } from '../deadline.js';

/** PostgreSQL, or the network on the way to it, does not answer. */
export class NoAnswer extends Error {
  constructor(ms: number, what = 'no answer from PostgreSQL', advice = '') {
    super(`${what} within ${ms} ms${advice}`);
    this.name = 'NoAnswer';
  }
}

/** All connections of the pool were in use, by the application or by the outbox. */
export class NoConnection extends NoAnswer {
  /** @param max the size of the pool */
  constructor(ms: number, max: number) {
    const advice = `: ${allOf(max)} may have been in use all the time; raise max, or hold connections for a shorter time`;
    super(ms, 'no connection was free', advice);
    this.name = 'NoConnection';
  }
}

function allOf(max: number | undefined): string {
  return max === undefined ? 'all connections of the pool' : `all ${max} connections of the pool (its max)`;
}

/**
 * Waits for an answer with a time limit: a frozen connection, or one whose other end is gone, never answers.
 *
 * @throws NoAnswer after `ms` milliseconds; the promise continues, and `late` gets its result
 */
export function answerWithin<T>(ms: number, answer: PromiseLike<T>, late: (answer: T) => void = () => {}): Promise<T> {
  return within(ms, answer, () => {
    answer.then(late, () => {});
    throw new NoAnswer(ms);
  });
}

/**
 * Waits like {@link answerWithin}, for a query through a pool that does not show whether a connection was free.
 *
 * @param max the size of the pool, if it is known
 * @throws NoAnswer that names both possible causes
 */
export async function withinPool<T>(ms: number, max: number | undefined, answer: PromiseLike<T>): Promise<T> {
  return blamingPool(ms, max, answerWithin(ms, answer));
}

/** The same for an answer that already has its own deadline. */
export async function blamingPool<T>(ms: number, max: number | undefined, answer: PromiseLike<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new NoAnswer(ms, undefined, `; or ${allOf(max)} were in use all the time: raise max`);
  }
}
