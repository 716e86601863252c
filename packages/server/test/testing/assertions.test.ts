import { describe, expect, it } from 'vitest';
import { expect as own } from '../../src/testing/assertions/expect.js';
import { containing, isEqual, isMatch } from '../../src/testing/assertions/matching.js';

describe('the assertions of the published suites', () => {
  it.each([
    [{ a: 1, b: undefined }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [[1, 2], [1, 2], true],
    [[1, 2], [1, 2, 3], false],
    [[1, 2], [2, 1], false],
    [0, -0, false],
    [Number.NaN, Number.NaN, true],
    [new Map([['a', { b: 1 }]]), new Map([['a', { b: 1 }]]), true],
    [new Map([['a', 1]]), new Map([['a', 2]]), false],
    [Buffer.from('a'), new Uint8Array([97]), true],
    [Buffer.from('a'), Buffer.from('b'), false],
    [JSON.parse('{"__proto__":{"a":1}}'), {}, false],
    [null, undefined, false],
    [{}, [], false],
  ])('say whether %j equals %j: %s', (one, other, expected) => {
    expect(isEqual(one, other)).toBe(expected);
    expect(isEqual(other, one)).toBe(expected);
  });

  it.each([
    [{ a: 1, b: 2 }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: undefined }, false],
    [{ a: { b: [1, { c: 2, d: 3 }] } }, { a: { b: [1, { c: 2 }] } }, true],
    [{ a: [1, 2] }, { a: [1] }, false],
    [null, { a: 1 }, false],
    [new Error('no such event'), { message: containing('such') }, true],
    [new Error('no such event'), { message: containing('other') }, false],
  ])('say whether %j has the members of %j: %s', (value, members, expected) =>
    expect(isMatch(value, members)).toBe(expected),
  );

  it('fail with both values in the error, and pass if the assertion holds', async () => {
    expect(() => own([1], 'the list').toEqual([2])).toThrow(/expected the list to equal(.|\n)*- {3}2/);
    expect(() => own(1).not.toEqual(1)).toThrow('not to equal');
    expect(() => own([1]).toContainEqual(2)).toThrow('to contain');
    expect(() => own([1]).not.toContainEqual(1)).toThrow('not to contain');
    expect(() => own(undefined).not.toContainEqual(1)).toThrow('not to contain');
    expect(() => own([1]).toHaveLength(2)).toThrow('to have the length');
    for (const wrong of [
      () => own(1).toBe(2),
      () => own(1).toBeUndefined(),
      () => own({ a: 1 }).toMatchObject({ a: 2 }),
      () => own(1).toBeGreaterThan(1),
      () => own(0).toBeGreaterThanOrEqual(1),
      () => own(Number.NaN).toBeLessThan(1),
      () => own(() => {}).toThrow(Error),
      () => own(() => Reflect.get(Object(undefined), 'a')).toThrow(Error),
    ]) {
      expect(wrong).toThrow('expected');
    }
    await expect(own(Promise.resolve()).rejects.toThrow(Error)).rejects.toThrow('to fail with');
    await expect(own(Promise.reject(new TypeError('x'))).rejects.toThrow(RangeError)).rejects.toThrow('to fail with');
    await own(Promise.reject(new RangeError('x'))).rejects.toMatchObject({ message: 'x' });
    own([1, { a: 2 }]).toContainEqual({ a: 2 });
    own(2).toBeGreaterThanOrEqual(2);
    let looks = 0;
    await own.poll(() => ++looks).toEqual(3);
    expect(looks).toBe(3);
  });
});
