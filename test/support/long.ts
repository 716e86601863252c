import { isRequired } from './machine.js';

/**
 * The length of tests that prove more the longer they run: random faults, growth, fuzzing. Only this file decides it.
 *
 * - `quick`: `npm test`, for a developer who has just changed something;
 * - `check`: `.ci/run`, which sets `PREGON_REQUIRE=all`, and which each commit must pass;
 * - `long`: `npm run test:long`, which sets `PREGON_LONG=1`.
 */
export type Length = 'quick' | 'check' | 'long';

export const length: Length = process.env['PREGON_LONG'] === '1' ? 'long' : isRequired ? 'check' : 'quick';

/** Whether the tests run at full length, as in `npm run test:long`. */
export const isLong = length === 'long';

/** What is used at each length. */
export type Lengths<T> = Readonly<Record<Length, T>>;

/** What is used at the length at which the tests run. */
export function byLength<T>(lengths: Lengths<T>): T {
  return lengths[length];
}

/**
 * How long a test of random faults or of growth runs, in seconds.
 *
 * @param variable environment variable that overrides them
 * @throws RangeError if the variable is not a number above 0
 */
export function secondsOf(variable: string, lengths: Lengths<number>): number {
  const given = process.env[variable];
  if (given === undefined) return byLength(lengths);
  const seconds = Number(given);
  if (seconds > 0) return seconds;
  throw new RangeError(`${variable} must be a number of seconds above 0, not ${JSON.stringify(given)}`);
}
