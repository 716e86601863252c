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

/** Passes in events whose offset is ten times their place in the log. */
function takeAll(check: DeliveryCheck, events: readonly (readonly [number: number, place: number])[]): string[] {
  return events.map(([number, place]) => check.take(number, place * 10));
}

describe('ExpectedNumbers', () => {
  it('agrees with a filter over all numbers about the numbers of a connection', () => {
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
  it('finds no fault if each event comes once, in order', () => {
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

  it('reports an event that never comes as missing, in the middle and at the end', () => {
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

  it('does not expect an event that was never confirmed', () => {
    const check = checkOfAll();
    takeAll(check, [
      [0, 0],
      [3, 3],
    ]);
    const unconfirmed = new Set([1, 3, 5, 9]);
    expect([check.missing(6, unconfirmed), check.expected(6, unconfirmed)]).toEqual([2, 3]);
  });

  it('reports a repeated event as a duplicate', () => {
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

  it('reports an event out of log order as reordered, and not as missing', () => {
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

  it('accepts an order other than that of the numbers if the log has that order', () => {
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

  it('neither expects nor refuses events that were sent before the connection was certainly open', () => {
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

  it('reports an event of a topic without a subscription as unasked', () => {
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

  it('expects only later events after a connection starts over, and keeps the earlier missing ones', () => {
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

  it('reports foreign events as duplicates if they repeat, and as reordered if a later one came before', () => {
    const check = checkOfAll();
    expect([5, 5, 9, 7].map((offset) => check.takeOther(offset))).toEqual(['well', 'duplicate', 'well', 'reordered']);
  });

  it('reports each injected fault, however many there are and wherever they are', () => {
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
