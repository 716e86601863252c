/**
 * Whether the tests run at full length, as in `npm run test:long`. Otherwise they are short enough for a check of every
 * commit.
 */
export const isLong = process.env['PREGON_LONG'] === '1';

/**
 * How long a test of random faults or of growth runs, in seconds.
 *
 * @param variable environment variable that overrides both
 */
export function secondsOf(variable: string, { short, long }: { short: number; long: number }): number {
  const given = process.env[variable];
  if (given === undefined) return isLong ? long : short;
  const seconds = Number(given);
  if (seconds > 0) return seconds;
  throw new RangeError(`${variable} must be a number of seconds above 0, not ${JSON.stringify(given)}`);
}
