import type { Spread } from '../spread.js';

/** The sequence of event numbers on one connection, as steps from each number to the next. */
export interface Cadence {
  /** The first number at or after this one, and the index of the step from it. */
  from(number: number): { number: number; place: number };
  readonly steps: readonly number[];
}

const EVERY: Cadence = { steps: [1], from: (number) => ({ number, place: 0 }) };

export function cadenceOf({ period, wants }: Spread, connection: number): Cadence {
  if (period === 1) return EVERY;
  const wanted = Array.from({ length: period }, (_, number) => number).filter((number) => wants(connection, number));
  const first = wanted[0];
  if (first === undefined) throw new RangeError(`connection ${connection} subscribes to no event`);
  const steps = wanted.map((number, place) => (wanted[place + 1] ?? first + period) - number);
  return {
    steps,
    from(number) {
      const round = number - (number % period);
      const place = wanted.findIndex((one) => round + one >= number);
      return place === -1
        ? { number: round + period + first, place: 0 }
        : { number: round + (wanted[place] ?? 0), place };
    },
  };
}
