import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assertPattern,
  assertTopic,
  canonicalPatterns,
  isPattern,
  isTopic,
  matchesTopic,
  patternsOverlap,
} from '../src/index.js';

const word = fc.constantFrom('a', 'b', 'ab');
const topic = fc.array(word, { minLength: 1, maxLength: 7 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof(word, fc.constant('*'), fc.constant('#')), { minLength: 1, maxLength: 7 })
  .map((words) => words.join('.'));

/** AMQP 0-9-1 section 3.1.3.3, translated as directly as possible. */
function matchesNaively(patternWords: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = patternWords;
  if (first === undefined) return words.length === 0;
  if (first === '#') return words.some((_, i) => matchesNaively(rest, words.slice(i))) || matchesNaively(rest, []);
  return words.length > 0 && (first === '*' || first === words[0]) && matchesNaively(rest, words.slice(1));
}

describe('matchesTopic', () => {
  it.each([
    ['user.42.created', 'user.42.created', true],
    ['user.*.created', 'user.42.created', true],
    ['user.*', 'user.42.created', false],
    ['user.*', 'user', false],
    ['user.#', 'user', true],
    ['user.#', 'user.42.created', true],
    ['#.created', 'created', true],
    ['#.created', 'user.42.created', true],
    ['#.created', 'user.42.changed', false],
    ['#', 'a.b.c', true],
    ['*.#', 'a', true],
    ['#.*', 'a', true],
    ['*.*', 'a', false],
    ['a.#.b.#.c', 'a.b.b.x.c', true],
    ['a.#.b.#.c', 'a.x.c.b', false],
    ['a.#.#', 'a', true],
    ['user', 'user.42', false],
    ['user', 'users', false],
  ])('of the pattern %s and the topic %s is %s', (one, of, expected) => {
    expect(matchesTopic(one, of)).toBe(expected);
  });

  it('follows the AMQP specification, for any pattern and topic', () => {
    fc.assert(
      fc.property(pattern, topic, (one, of) => {
        expect(matchesTopic(one, of)).toBe(matchesNaively(one.split('.'), of.split('.')));
      }),
      { numRuns: 5_000 },
    );
  });

  it('[I-8] takes no longer for patterns that are designed to be costly', () => {
    const began = performance.now();
    const words = 'a.'.repeat(120);
    for (const one of [`${'#.'.repeat(120)}x`, `${'#.a.'.repeat(60)}x`, `${'#.*.'.repeat(60)}x`]) {
      expect(matchesTopic(one, `${words}b`)).toBe(false);
      expect(matchesTopic(one, `${words}x`)).toBe(true);
    }
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('the validation of topics and patterns', () => {
  it.each(['user', 'user.42.created', 'a-b_c.D', 'ñandú.🚀', 'x'.repeat(255), 'é'.repeat(127)])(
    'accepts %s as a topic',
    (text) => {
      expect(isTopic(text) && isPattern(text)).toBe(true);
      expect(() => assertTopic(text)).not.toThrow();
    },
  );

  it.each(['*', '#', 'user.#', '*.created', '#.#', 'a.*.#'])('accepts %s as a pattern, but not as a topic', (text) => {
    expect([isPattern(text), isTopic(text)]).toEqual([true, false]);
    expect(() => assertPattern(text)).not.toThrow();
    expect(() => assertTopic(text)).toThrow(expect.objectContaining({ code: 'TOPIC_INVALID' }));
  });

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a b',
    'a\n',
    'a\0b',
    'a\u007f',
    'user.4*',
    '#a',
    'a.**',
    '##',
    'x'.repeat(256),
    'é'.repeat(128),
    '\u00a0',
  ])('accepts %j neither as a topic nor as a pattern', (text) => {
    expect([isPattern(text), isTopic(text)]).toEqual([false, false]);
    expect(() => assertPattern(text)).toThrow(expect.objectContaining({ code: 'TOPIC_INVALID' }));
  });
});

describe('canonicalPatterns', () => {
  it('gives one result for lists that differ in order and repetition, and it selects the same topics', () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 5 }), topic, (patterns, of) => {
        const canonical = canonicalPatterns(patterns);
        expect(canonicalPatterns([...patterns, ...patterns].reverse())).toEqual(canonical);
        const selects = (list: readonly string[]) => list.some((one) => matchesTopic(one, of));
        expect(selects(canonical)).toBe(selects(patterns));
      }),
    );
  });

  it('gives only # if # is among the patterns', () => {
    expect(canonicalPatterns(['b', '#', 'a'])).toEqual(['#']);
    expect(canonicalPatterns(['b', 'a', 'b'])).toEqual(['a', 'b']);
  });
});

describe('patternsOverlap', () => {
  const WORDS = ['a', 'b', 'ab'];
  /** All topics of up to six words: as many as the wildcards of two patterns of three words can need. */
  const topics: string[] = [...WORDS];
  for (let at = 0; (topics[at]?.split('.').length ?? 6) < 6; at++) {
    for (const next of WORDS) topics.push(`${topics[at]}.${next}`);
  }
  const short = fc
    .array(fc.oneof(word, fc.constant('*'), fc.constant('#')), { minLength: 1, maxLength: 3 })
    .map((words) => words.join('.'));

  it('says whether some topic matches both patterns', () => {
    fc.assert(
      fc.property(short, short, (a, b) => {
        const both = topics.some((one) => matchesTopic(a, one) && matchesTopic(b, one));
        expect(patternsOverlap(a, b)).toBe(both);
        expect(patternsOverlap(b, a)).toBe(both);
      }),
      { numRuns: 500 },
    );
  });
});

describe('[fault A10] the canonical form of a pattern', () => {
  it.each([
    ['#.#', '#'],
    ['#.#.#.#', '#'],
    ['#.*', '*.#'],
    ['*.#.*.#', '*.*.#'],
    ['a.#.#.b', 'a.#.b'],
    ['a.#.*.b', 'a.*.#.b'],
    ['#.a.#', '#.a.#'],
    ['*.*', '*.*'],
  ])('%s is %s', (one, canonical) => {
    expect(canonicalPatterns([one])).toEqual([canonical]);
  });

  it('selects the same topics, is a valid pattern, and is its own canonical form', () => {
    fc.assert(
      fc.property(pattern, topic, (one, of) => {
        const [canonical = ''] = canonicalPatterns([one]);
        expect(isPattern(canonical)).toBe(true);
        expect(canonicalPatterns([canonical])).toEqual([canonical]);
        expect(matchesTopic(canonical, of)).toBe(matchesTopic(one, of));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is one pattern for all orders of the same wildcards', () => {
    const words = [...Array.from({ length: 60 }, () => '#'), '*', '*', '*'];
    const turned = words.map((_, at) => [...words.slice(at), ...words.slice(0, at)].join('.'));
    expect(canonicalPatterns(turned)).toEqual(['*.*.*.#']);
  });
});
