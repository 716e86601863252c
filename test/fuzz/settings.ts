import { randomInt } from 'node:crypto';
import { isLong, secondsOf } from '../support/long.js';

/** The seed of all inputs. It is printed, and PREGON_FUZZ_SEED sets it again. */
export const SEED = Number(process.env['PREGON_FUZZ_SEED'] ?? randomInt(2 ** 31));

/** The total number of inputs, a million with PREGON_LONG=1; if undefined, the time of each part is the limit. */
export const INPUTS = isLong ? Number(process.env['PREGON_FUZZ_INPUTS'] ?? 1_000_000) : undefined;

/** The running time of all parts together, in seconds. The corpus takes three seconds of each part. */
export const SECONDS = secondsOf('PREGON_FUZZ_SECONDS', { quick: 16, check: 40, long: 40 });

/** A transcript of a failure to replay instead of random input. */
export const REPLAY = process.env['PREGON_FUZZ_REPLAY'];
