import { PregonError } from '@pregon/protocol';

/** The most sets of states, each at one place of the asked pattern, in one search. */
const MOST_STATES = 10_000;

/** The most steps of all searches: some milliseconds. A step visits one state. */
const MOST_STEPS = 80_000;

/** What the searches of one request may cost. A request is refused, rather than answered late or wrongly. */
export class SearchBudget {
  #steps = 0;

  /** The number of steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** @throws PregonError TOPICS_TOO_COMPLEX if there have been too many steps */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MOST_STEPS) throw tooComplex();
  }

  /** @throws PregonError TOPICS_TOO_COMPLEX if one search has found too many sets of states */
  assertStates(count: number): void {
    if (count > MOST_STATES) throw tooComplex();
  }
}

function tooComplex(): PregonError {
  return new PregonError(
    'TOPICS_TOO_COMPLEX',
    'it takes too long to compare these topics with what is allowed: subscribe to the allowed patterns as they are, or leave topics out',
  );
}
