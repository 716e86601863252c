import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSame } from '../../src/rows/equality.js';

/** JSON text with sorted members, so that equal values have the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? ['object', ...Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))]
      : Array.isArray(inner)
        ? ['array', ...inner]
        : inner,
  );
}

describe('isSame', () => {
  it('says whether two JSON values are the same', () => {
    const small = fc.jsonValue({ maxDepth: 2 });
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(isSame(a, structuredClone(a))).toBe(true);
        expect(isSame(a, b)).toBe(canonical(a) === canonical(b));
      }),
    );
  });

  it.each<[unknown, unknown, boolean]>([
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
    [{ a: -0 }, { a: 0 }, true],
    [{ a: Number.NaN }, { a: Number.NaN }, true],
    [{ a: undefined }, {}, false],
    [{ a: undefined }, { b: undefined }, false],
    [[1, 2], [1], false],
    [[], {}, false],
    [{ a: [{ b: null }] }, { a: [{ b: null }] }, true],
    [{ a: [{ b: null }] }, { a: [{ b: 0 }] }, false],
    [new Date(0), new Date(0), false],
  ])('of %o and %o is %s', (a, b, same) => {
    expect(isSame(a, b)).toBe(same);
    expect(isSame(b, a)).toBe(same);
  });
});
