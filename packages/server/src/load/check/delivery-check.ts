import type { ExpectedNumbers } from '../expected-numbers.js';

/** What an event's coming shows; all but `well` and `early` are faults. */
export type Verdict = 'well' | 'early' | 'duplicate' | 'reordered' | 'unasked';

/** Numbers from `from` on, up to `end`, which does not count, that have not come. */
interface Gap {
  from: number;
  end: number;
}

/** Faults of a connection that loses again and again are counted together: memory has a limit. */
const MAX_GAPS = 100;

/**
 * Checks what comes on one connection, at the cost of a comparison where all is well. Order is that in which events came for the first time; what
 * is missing or has come twice shows by the numbers of this run's events, which may come in another order than they were sent in where
 * several were on their way to the log at once.
 */
export class DeliveryCheck {
  readonly #turns: ExpectedNumbers;
  /** Numbers below may come, or not: the connection was not there for certain when they were sent. */
  #first = 0;
  #next = 0;
  /** Of the latest event that came here. */
  #ordinal = -1;
  #gaps: Gap[] = [];
  /** Missing for certain, in gaps that are no longer remembered. */
  #lost = 0;
  /** Numbers to come before the connection began anew. */
  #expectedBefore = 0;

  constructor(turns: ExpectedNumbers) {
    this.#turns = turns;
  }

  /** From event `number` on each one is expected. What was missing before stays missing. */
  begin(number: number): void {
    this.#expectedBefore += this.#turns.count(this.#first, this.#next);
    this.#lost += this.#gaps.reduce((sum, { from, end }) => sum + this.#turns.count(from, end), 0);
    this.#gaps = [];
    this.#first = number;
    this.#next = this.#turns.from(number);
    this.#ordinal = -1;
  }

  /** An event of this run. */
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

  /** An event of somebody else: one that follows itself has come twice, one that comes after a later one is out of order. */
  takeOther(ordinal: number | undefined): Exclude<Verdict, 'early'> {
    if (ordinal === undefined) return 'well';
    if (ordinal === this.#ordinal) return 'duplicate';
    if (ordinal < this.#ordinal) return 'reordered';
    this.#ordinal = ordinal;
    return 'well';
  }

  /** How many events with numbers below `end` were to come, but for `excepted`. */
  expected(end: number, excepted: ReadonlySet<number>): number {
    let count = this.#expectedBefore + this.#turns.count(this.#first, end);
    for (const number of excepted) if (number >= this.#first && number < end && this.#turns.has(number)) count -= 1;
    return count;
  }

  /** Whether all numbers below `end` have come, those gaps excepted that can be filled no more. */
  complete(end: number): boolean {
    return this.#gaps.length === 0 && this.#next >= end;
  }

  /** How many of the numbers below `end` are missing, but for `excepted`: they may never have been published. */
  missing(end: number, excepted: ReadonlySet<number>): number {
    let count = this.#lost + this.#turns.count(this.#next, end);
    for (const gap of this.#gaps) count += this.#turns.count(gap.from, gap.end);
    for (const number of excepted) if (this.#turns.has(number) && this.#isMissing(number, end)) count -= 1;
    return count;
  }

  /** The first number below `end` that is missing, if it is known which. */
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

  /** @returns false where the number was not missing */
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
