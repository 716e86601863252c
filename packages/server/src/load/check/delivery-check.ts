import type { ExpectedNumbers } from '../expected-numbers.js';

/** The result of checking an event that arrived; all but `well` and `early` are faults. */
export type Verdict = 'well' | 'early' | 'duplicate' | 'reordered' | 'unasked';

/** Missing numbers from `from` (inclusive) to `end` (exclusive). */
interface Gap {
  from: number;
  end: number;
}

/** The most gaps that are remembered per connection. Older gaps are only counted, to limit memory. */
const MAX_GAPS = 100;

/**
 * Checks the events of one connection. If all is well, that costs one comparison per event. The expected order is the
 * order in which events first arrived on any connection. Missing and repeated events are found by the numbers of this
 * run's events. These may arrive in another order than they were sent in, because several may be on their way to the
 * log at once.
 */
export class DeliveryCheck {
  readonly #turns: ExpectedNumbers;
  /** Numbers below it are optional: the connection may not have been open when they were sent. */
  #first = 0;
  #next = 0;
  /** The ordinal of the latest event on this connection. */
  #ordinal = -1;
  #gaps: Gap[] = [];
  /** Numbers that are certainly missing, in gaps that are no longer remembered. */
  #lost = 0;
  /** Numbers that were expected before the last call of `begin`. */
  #expectedBefore = 0;

  constructor(turns: ExpectedNumbers) {
    this.#turns = turns;
  }

  /** Expects each event from `number` on. Earlier missing events stay missing. */
  begin(number: number): void {
    this.#expectedBefore += this.#turns.count(this.#first, this.#next);
    this.#lost += this.#gaps.reduce((sum, { from, end }) => sum + this.#turns.count(from, end), 0);
    this.#gaps = [];
    this.#first = number;
    this.#next = this.#turns.from(number);
    this.#ordinal = -1;
  }

  /** Checks an event of this run. */
  take(number: number, ordinal: number | undefined): Verdict {
    const inOrder = ordinal === undefined || ordinal > this.#ordinal;
    if (inOrder && ordinal !== undefined) this.#ordinal = ordinal;
    if (number === this.#next) {
      this.#next = this.#turns.from(number + 1);
      return inOrder ? 'well' : 'reordered';
    }
    if (!this.#turns.has(number)) return 'unasked';
    if (number < this.#first) return inOrder ? 'early' : 'reordered';
    if (number > this.#next) {
      this.#open({ from: this.#next, end: number });
      this.#next = this.#turns.from(number + 1);
    } else if (!this.#fill(number)) {
      return 'duplicate';
    }
    return inOrder ? 'well' : 'reordered';
  }

  /** Checks an event from another publisher. A repeated ordinal is a duplicate; a smaller one is out of order. */
  takeOther(ordinal: number | undefined): Exclude<Verdict, 'early'> {
    if (ordinal === undefined) return 'well';
    if (ordinal === this.#ordinal) return 'duplicate';
    if (ordinal < this.#ordinal) return 'reordered';
    this.#ordinal = ordinal;
    return 'well';
  }

  /** How many events with numbers below `end` were expected, without `excepted`. */
  expected(end: number, excepted: ReadonlySet<number>): number {
    let count = this.#expectedBefore + this.#turns.count(this.#first, end);
    for (const number of excepted) if (number >= this.#first && number < end && this.#turns.has(number)) count -= 1;
    return count;
  }

  /** Whether all numbers below `end` arrived, except those in gaps that are no longer remembered. */
  complete(end: number): boolean {
    return this.#gaps.length === 0 && this.#next >= end;
  }

  /** How many numbers below `end` are missing, without `excepted`, which may never have been published. */
  missing(end: number, excepted: ReadonlySet<number>): number {
    let count = this.#lost + this.#turns.count(this.#next, end);
    for (const gap of this.#gaps) count += this.#turns.count(gap.from, gap.end);
    for (const number of excepted) if (this.#turns.has(number) && this.#isMissing(number, end)) count -= 1;
    return count;
  }

  /** The first missing number below `end`, if its gap is still remembered. */
  firstMissing(end: number, excepted: ReadonlySet<number>): number | undefined {
    for (const gap of [...this.#gaps, { from: this.#next, end }]) {
      for (let number = this.#turns.from(gap.from); number < gap.end; number = this.#turns.from(number + 1)) {
        if (!excepted.has(number)) return number;
      }
    }
    return undefined;
  }

  #isMissing(number: number, end: number): boolean {
    if (number >= this.#next) return number < end;
    return this.#gaps.some((gap) => number >= gap.from && number < gap.end);
  }

  #open(gap: Gap): void {
    this.#gaps.push(gap);
    if (this.#gaps.length <= MAX_GAPS) return;
    const oldest = this.#gaps.shift();
    if (oldest) this.#lost += this.#turns.count(oldest.from, oldest.end);
  }

  /** @returns false if the number was not missing */
  #fill(number: number): boolean {
    const index = this.#gaps.findIndex((gap) => number >= gap.from && number < gap.end);
    const gap = this.#gaps[index];
    if (!gap) return false;
    const parts = [
      { from: gap.from, end: number },
      { from: this.#turns.from(number + 1), end: gap.end },
    ].filter((part) => this.#turns.count(part.from, part.end) > 0);
    this.#gaps.splice(index, 1, ...parts);
    return true;
  }
}
