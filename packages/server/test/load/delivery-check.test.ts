import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeliveryCheck } from '../../src/load/check/delivery-check.js';
import { ExpectedNumbers } from '../../src/load/expected-numbers.js';

const NONE: ReadonlySet<number> = new Set();

/** Expects all numbers from 0 on. */
function checkOfAll(): DeliveryCheck {
  const check = new DeliveryCheck(new ExpectedNumbers(1, [0]));
  check.begin(0);
  return check;
}

/** Takes events whose offset is ten times their place in the log. */
function takeAll(check: DeliveryCheck, events: readonly (readonly [number: number, place: number])[]): string[] {
  return events.map(([number, place]) => check.take(number, place * 10));
}

describe('ExpectedNumbers', () => {
  it('knows which numbers a connection is to get, as a filter over all numbers does', () => {
    const topics = fc.integer({ min: 1, max: 12 });
    const case_ = topics.chain((count) =>
      fc.tuple(
        fc.constant(count),
        fc.subarray(Array.from({ length: count }, (_, index) => index)),
        fc.nat(40),
        fc.nat(40),
      ),
    );
    fc.assert(
      fc.property(case_, ([count, wanted, from, length]) => {
        const turns = new ExpectedNumbers(count, wanted);
        const numbers = Array.from({ length: 100 }, (_, index) => index);
        const due = numbers.filter((number) => wanted.includes(number % count));
        expect(numbers.filter((number) => turns.has(number))).toEqual(due);
        expect(turns.from(from)).toBe(due.find((number) => number >= from) ?? Number.POSITIVE_INFINITY);
        expect(turns.count(from, from + length)).toBe(due.filter((n) => n >= from && n < from + length).length);
      }),
    );
  });
});

describe('DeliveryCheck', () => {
  it('all is well where each comes once, in order', () => {
    const check = checkOfAll();
    expect(
      takeAll(check, [
        [0, 0],
        [1, 1],
        [2, 2],
      ]),
    ).toEqual(['well', 'well', 'well']);
    expect([check.complete(3), check.missing(3, NONE), check.expected(3, NONE)]).toEqual([true, 0, 3]);
  });

  it('what never comes is missing, amid and at the end', () => {
    const check = checkOfAll();
    expect(
      takeAll(check, [
        [0, 0],
        [3, 3],
      ]),
    ).toEqual(['well', 'well']);
    expect([check.complete(4), check.missing(4, NONE), check.missing(6, NONE)]).toEqual([false, 2, 4]);
    expect([check.firstMissing(6, NONE), check.firstMissing(6, new Set([1, 2]))]).toEqual([1, 4]);
  });

  it('what was never confirmed is not missing, and not expected', () => {
    const check = checkOfAll();
    takeAll(check, [
      [0, 0],
      [3, 3],
    ]);
    const unconfirmed = new Set([1, 3, 5, 9]);
    expect([check.missing(6, unconfirmed), check.expected(6, unconfirmed)]).toEqual([2, 3]);
  });

  it('a second time is a duplicate', () => {
    const check = checkOfAll();
    expect(
      takeAll(check, [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ]),
    ).toEqual(['well', 'well', 'duplicate', 'duplicate']);
  });

  it('out of the order of the log is reordered, and not missing', () => {
    const check = checkOfAll();
    expect(
      takeAll(check, [
        [0, 0],
        [2, 2],
        [1, 1],
        [3, 3],
      ]),
    ).toEqual(['well', 'well', 'reordered', 'well']);
    expect(check.missing(4, NONE)).toBe(0);
  });

  it('another order than that of the numbers is well where the log has it so', () => {
    const check = checkOfAll();
    expect(
      takeAll(check, [
        [1, 0],
        [0, 1],
        [3, 2],
        [2, 3],
      ]),
    ).toEqual(['well', 'well', 'well', 'well']);
    expect(check.complete(4)).toBe(true);
  });

  it('what was sent before the connection was there for certain may come or not', () => {
    const check = new DeliveryCheck(new ExpectedNumbers(1, [0]));
    check.begin(5);
    expect(
      takeAll(check, [
        [4, 4],
        [5, 5],
      ]),
    ).toEqual(['early', 'well']);
    expect([check.missing(6, NONE), check.expected(6, NONE)]).toEqual([0, 1]);
  });

  it('an event of a topic that was not subscribed to is unasked', () => {
    const check = new DeliveryCheck(new ExpectedNumbers(3, [0, 2]));
    check.begin(0);
    expect(
      takeAll(check, [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
      ]),
    ).toEqual(['well', 'unasked', 'well', 'well']);
    expect([check.missing(7, NONE), check.expected(7, NONE)]).toEqual([2, 5]);
  });

  it('a connection that begins anew expects what is sent from then on; what was missing stays so', () => {
    const check = checkOfAll();
    takeAll(check, [
      [0, 0],
      [2, 2],
    ]);
    check.begin(10);
    expect(
      takeAll(check, [
        [10, 1],
        [11, 2],
      ]),
    ).toEqual(['well', 'well']);
    expect([check.missing(12, NONE), check.expected(12, NONE)]).toEqual([1, 5]);
  });

  it('of others, one that follows itself is a duplicate, one that comes after a later one is reordered', () => {
    const check = checkOfAll();
    expect([5, 5, 9, 7].map((offset) => check.takeOther(offset))).toEqual(['well', 'duplicate', 'well', 'reordered']);
  });

  it('tells each fault that was made, however many and wherever', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('well', 'drop', 'twice'), { maxLength: 400 }), (deeds) => {
        const check = checkOfAll();
        let twice = 0;
        for (const [number, deed] of deeds.entries()) {
          if (deed === 'drop') continue;
          for (let time = 0; time < (deed === 'twice' ? 2 : 1); time++) {
            if (check.take(number, number) === 'duplicate') twice += 1;
          }
        }
        expect(twice).toBe(deeds.filter((deed) => deed === 'twice').length);
        expect(check.missing(deeds.length, NONE)).toBe(deeds.filter((deed) => deed === 'drop').length);
      }),
    );
  });
});
