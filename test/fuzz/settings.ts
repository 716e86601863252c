import { randomInt } from 'node:crypto';
import { isLong } from '../support/long.js';

/** The numbers that all inputs come from; printed, and given again by PREGON_FUZZ_SEED. */
export const SEED = Number(process.env['PREGON_FUZZ_SEED'] ?? randomInt(2 ** 31));

/** How many inputs there are in all; with PREGON_LONG=1, a million. Undefined: for as long as each part has. */
export const INPUTS = isLong ? Number(process.env['PREGON_FUZZ_INPUTS'] ?? 1_000_000) : undefined;

/** A part that has run for so long ends, whatever it has reached: seconds per commit. */
export const SECONDS = Number(process.env['PREGON_FUZZ_SECONDS'] ?? 40);

/** A transcript of a failure, to be sent again instead of random input. */
export const REPLAY = process.env['PREGON_FUZZ_REPLAY'];
