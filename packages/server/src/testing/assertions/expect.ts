import { AssertionError } from 'node:assert';
import { pause } from '../../core/time/deadline.js';
import { isEqual, isMatch } from './matching.js';

/** The expected error: an instance of a class, or an error with these members. */
type ExpectedError = (new (...args: never[]) => Error) | object;

const POLL_DEADLINE_MS = 100_000;
const POLL_MS = 10;

/**
 * The assertions of the suites, with the names that most test runners use. They do not depend on a test runner, so that
 * a suite runs with any of them.
 *
 * @param note names the value in the error message
 */
export function expect(actual: unknown, note?: string): Expectation {
  return new Expectation(actual, note, false);
}

/** Polls a value until it equals the expected one. Fails with the last value after a deadline. */
expect.poll = (look: () => unknown) => ({
  async toEqual(expected: unknown): Promise<void> {
    const deadline = performance.now() + POLL_DEADLINE_MS;
    let seen = look();
    while (!isEqual(seen, expected) && performance.now() < deadline) {
      await pause(POLL_MS);
      seen = look();
    }
    expect(seen, `after ${POLL_DEADLINE_MS} ms`).toEqual(expected);
  },
});

class Expectation {
  readonly #actual: unknown;
  readonly #note: string | undefined;
  readonly #negated: boolean;

  constructor(actual: unknown, note: string | undefined, negated: boolean) {
    this.#actual = actual;
    this.#note = note;
    this.#negated = negated;
  }

  get not(): Expectation {
    return new Expectation(this.#actual, this.#note, !this.#negated);
  }

  get rejects(): RejectedExpectation {
    return new RejectedExpectation(this.#actual, this.#note);
  }

  toBe(expected: unknown): void {
    this.#check(Object.is(this.#actual, expected), 'be', expected);
  }

  toBeUndefined(): void {
    this.toBe(undefined);
  }

  toEqual(expected: unknown): void {
    this.#check(isEqual(this.#actual, expected), 'equal', expected);
  }

  toMatchObject(expected: object): void {
    this.#check(isMatch(this.#actual, expected), 'have the members', expected);
  }

  toContainEqual(expected: unknown): void {
    const list: unknown[] = Array.isArray(this.#actual) ? this.#actual : [];
    const contains = list.some((element) => isEqual(element, expected));
    this.#check(Array.isArray(this.#actual) && contains !== this.#negated, 'contain', expected, false);
  }

  toHaveLength(expected: number): void {
    this.#check(Reflect.get(Object(this.#actual), 'length') === expected, 'have the length', expected);
  }

  toBeGreaterThan(expected: number): void {
    this.#check(Number(this.#actual) > expected, 'be greater than', expected);
  }

  toBeGreaterThanOrEqual(expected: number): void {
    this.#check(Number(this.#actual) >= expected, 'be at least', expected);
  }

  toBeLessThan(expected: number): void {
    this.#check(Number(this.#actual) < expected, 'be less than', expected);
  }

  /** Calls the function under test. */
  toThrow(expected: ExpectedError): void {
    let thrown: unknown;
    try {
      if (typeof this.#actual === 'function') this.#actual();
    } catch (error) {
      thrown = error;
    }
    assertError(thrown, expected, this.#note);
  }

  #check(holds: boolean, operator: string, expected: unknown, negated = this.#negated): void {
    if (holds !== negated) return;
    fail(this.#actual, expected, `${this.#negated ? 'not ' : ''}to ${operator}`, this.#note);
  }
}

class RejectedExpectation {
  readonly #promise: unknown;
  readonly #note: string | undefined;

  constructor(promise: unknown, note: string | undefined) {
    this.#promise = promise;
    this.#note = note;
  }

  async toThrow(expected: ExpectedError): Promise<void> {
    let thrown: unknown;
    try {
      await this.#promise;
    } catch (error) {
      thrown = error;
    }
    assertError(thrown, expected, this.#note);
  }

  toMatchObject(expected: object): Promise<void> {
    return this.toThrow(expected);
  }
}

function assertError(thrown: unknown, expected: ExpectedError, note: string | undefined): void {
  const holds = typeof expected === 'function' ? thrown instanceof expected : isMatch(thrown, expected);
  if (!holds) fail(thrown, expected, 'to fail with', note);
}

function fail(actual: unknown, expected: unknown, operator: string, note: string | undefined): never {
  // Node.js formats both values and their difference only for operators that it knows.
  const { message } = new AssertionError({ actual, expected, operator: 'deepStrictEqual' });
  const what = `expected ${note ?? 'the value'} ${operator} the expected value`;
  throw new AssertionError({ message: `${what}\n${message}`, actual, expected, operator });
}
