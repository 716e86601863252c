import { canonicalPatterns } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOfPatterns } from '../../../src/core/topics/pattern-cost.js';
import { TopicIndex } from '../../../src/core/topics/topic-index.js';

const word = fc.constantFrom('a', 'b', 'c');
const topic = fc.array(word, { minLength: 1, maxLength: 8 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof(word, fc.constant('*'), fc.constant('#')), { minLength: 1, maxLength: 8 })
  .map((words) => words.join('.'));

/** All patterns for a topic of six words, with some of them as `*` and a `#` after some of them. */
const costly = Array.from({ length: 1_000 }, (_, n) =>
  ['org', '7', 'user', '42', 'order', 'created']
    .map((one, at) => `${(n >> at) & 1 ? one : '*'}${(n >> (at + 4)) & 1 ? '.#' : ''}`)
    .join('.'),
);

describe('the cost of patterns', () => {
  it('[fault A10] is at least the number of steps of any topic of up to eight words', () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 40 }), topic, (patterns, of) => {
        const canonical = canonicalPatterns(patterns);
        const index = new TopicIndex<true>();
        for (const one of canonical) index.add(one, true);
        expect(index.collect(of, new Set())).toBeLessThanOrEqual(costOfPatterns(canonical).steps);
      }),
      { numRuns: 1_000 },
    );
  });

  it('grows with the kinds of patterns, not with how many of a kind there are', () => {
    const thousand = (make: (n: number) => string) => costOfPatterns(Array.from({ length: 1_000 }, (_, n) => make(n)));
    expect(thousand((n) => `user.${n}.created`)).toMatchObject({ patterns: 1_000, words: 3_000, steps: 1 });
    expect(thousand((n) => `user.${n}.#`).steps).toBeLessThan(10);
    expect(thousand((n) => `*.${n}.*.x`).steps).toBeLessThan(10);
    expect(thousand((n) => `#.n${n}.#`).steps).toBeLessThan(50);
    expect(costOfPatterns(canonicalPatterns(costly)).steps).toBeGreaterThan(500);
  });

  it('[fault A10] counts bytes of UTF-8', () => {
    expect(costOfPatterns(['ñ.é', 'user.*'])).toMatchObject({ patterns: 2, words: 4, bytes: 11 });
  });
});
