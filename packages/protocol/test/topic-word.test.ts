import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPattern, isTopic, matchesTopic, topicWord } from '../src/index.js';

/** Characters that words cannot hold, characters beside them, and any others. */
const value = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom('.', '*', '#', '%', ',', ' ', '\t', '\n', '\0', '\u007f', '\u0085', '\u00a0', '\u2028', '\ufeff'),
      fc.constantFrom('a', 'A', '2', 'E', 'e', '%2E', '%252E', 'ñ', '@', '/', '{', '}'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 12,
  })
  .filter((text) => text !== '');

describe('[H-03] topicWord', () => {
  it.each([
    ['42', '42'],
    ['ada', 'ada'],
    ['ada@example.com', 'ada@example%2Ecom'],
    ['auth0|5f7c', 'auth0|5f7c'],
    ['https://login.example/', 'https://login%2Eexample/'],
    ['*', '%2A'],
    ['#', '%23'],
    ['a b', 'a%20b'],
    ['100%', '100%25'],
    ['%2E', '%252E'],
    ['a,b', 'a%2Cb'],
    ['a\n\0', 'a%0A%00'],
    ['\u0085\u00a0', '%C2%85%C2%A0'],
    ['\u3000', '%E3%80%80'],
    ['ñandú 🚀', 'ñandú%20🚀'],
  ])('of %j is %s', (text, word) => {
    expect(topicWord(text)).toBe(word);
  });

  it('is one valid word, and never a wildcard', () => {
    fc.assert(
      fc.property(value, (text) => {
        const word = topicWord(text);
        expect(isTopic(word) && isPattern(word)).toBe(true);
        expect(matchesTopic('*', word)).toBe(true);
        expect(word).not.toContain(',');
      }),
      { numRuns: 5_000 },
    );
  });

  it('is different for different values: decoding gives the value back', () => {
    fc.assert(
      fc.property(value, (text) => {
        expect(decodeURIComponent(topicWord(text))).toBe(text);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is the value itself if that is a word without %% and commas', () => {
    fc.assert(
      fc.property(value, (text) => {
        if (isTopic(text) && !/[.%,]/.test(text)) expect(topicWord(text)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['the empty string', ''],
    ['a lone surrogate', 'a\ud800'],
    ['a word of 256 bytes', 'x'.repeat(256)],
    ['a word of 256 bytes of UTF-8', 'é'.repeat(128)],
    ['a word that is too long when it is encoded', '.'.repeat(86)],
    ['a very long value', '.'.repeat(10_000_000)],
  ])('throws a RangeError for %s', (_, text) => {
    expect(() => topicWord(text)).toThrow(RangeError);
  });

  it('may have 255 bytes', () => {
    expect(topicWord('x'.repeat(255))).toHaveLength(255);
    expect(topicWord('.'.repeat(85))).toHaveLength(255);
  });
});
