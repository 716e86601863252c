import { canonicalPatterns, isPattern, matchesTopic, PregonError } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { isLong } from '../../../../../../test/support/long.js';
import { isContained } from '../../../../src/core/topics/containment.js';
import { SearchBudget } from '../../../../src/core/topics/search-budget.js';
import { Random } from '../../../../src/testing/random.js';

/** All topics of up to five words. No pattern names the word `c`, so it stands for all other words. */
const topics: string[] = ['a', 'b', 'c'];
for (let at = 0; (topics[at]?.split('.').length ?? 5) < 5; at++) {
  for (const word of ['a', 'b', 'c']) topics.push(`${topics[at]}.${word}`);
}

/** For each pattern, which of the topics it matches. */
const matched = new Map<string, readonly boolean[]>();

function matchesOf(pattern: string): readonly boolean[] {
  let known = matched.get(pattern);
  if (!known) {
    known = topics.map((topic) => matchesTopic(pattern, topic));
    matched.set(pattern, known);
  }
  return known;
}

/** A topic that only the asked pattern matches. */
function counterexample(asked: string, allowed: readonly string[]): string | undefined {
  const lists = allowed.map(matchesOf);
  const of = matchesOf(asked);
  return topics.find((_, at) => of[at] === true && !lists.some((list) => list[at]));
}

function randomPattern(random: Random, mostWords: number): string {
  return random.list(1, mostWords, () => random.pick('a', 'b', '*', '#', '#')).join('.');
}

describe('[H-03] A pattern is contained in a list of patterns', () => {
  it('exactly if enumeration finds no topic that it alone matches', () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    console.info(`containment against enumeration: seed ${seed}`);
    const random = new Random(seed);
    let contained = 0;
    for (let pair = 0; pair < (isLong ? 1_000_000 : 20_000); pair++) {
      const asked = randomPattern(random, 3);
      const allowed = random.list(0, 5, () => randomPattern(random, 3));
      const expected = counterexample(asked, allowed) === undefined;
      if (expected) contained += 1;
      if (isContained(asked, allowed) === expected) continue;
      expect.fail(`${asked} in ${JSON.stringify(allowed)} should be ${expected}; seed ${seed}, pair ${pair}`);
    }
    expect(contained).toBeGreaterThan(1_000);
  });

  it('only if no topic of up to five words speaks against it, for longer patterns too', () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new Random(seed);
    for (let pair = 0; pair < 5_000; pair++) {
      const asked = randomPattern(random, 6);
      const allowed = Object.freeze(random.list(1, 8, () => randomPattern(random, 6)));
      if (!isContained(asked, allowed)) continue;
      expect(counterexample(asked, allowed), `${asked} in ${JSON.stringify(allowed)}, seed ${seed}`).toBeUndefined();
    }
  });

  it('whatever the order, the form and the repetition of the patterns', () => {
    const random = new Random(14);
    for (let pair = 0; pair < 2_000; pair++) {
      const asked = randomPattern(random, 4);
      const allowed = random.list(1, 4, () => randomPattern(random, 4));
      const answer = isContained(asked, allowed);
      expect(isContained(asked, canonicalPatterns(allowed))).toBe(answer);
      expect(isContained(asked, [...allowed, ...allowed].reverse())).toBe(answer);
      expect(canonicalPatterns([asked]).every((one) => isContained(one, allowed))).toBe(answer);
    }
  });

  it.each([
    ['#', ['#'], true],
    ['#', ['#.#'], true],
    // Each topic has one word or more.
    ['#', ['*.#'], true],
    ['#', ['*', '*.*.#'], true],
    ['#', ['*.*.#'], false],
    ['#', ['*', '*.*'], false],
    ['#', ['*', '*.*', '#.*.*.*'], true],
    ['#', ['a.#', '#.a'], false],
    ['*.#', ['#'], true],
    ['*', ['a', 'b'], false],
    ['*', ['a', '*'], true],
    ['*.*', ['*.#'], true],
    ['*.*', ['*'], false],
    ['*.*', ['a.*', '*.a'], false],
    ['a.*', ['*.*'], true],
    ['a.b', ['a.*', 'c'], true],
    ['a.b', ['*.b'], true],
    ['a', ['a.#'], true],
    ['a', ['a.*'], false],
    ['a.#', ['a', 'a.*', 'a.*.*.#'], true],
    ['a.#', ['a', 'a.*.*.#'], false],
    ['a.#', ['a.*.#'], false],
    ['#.a.#', ['#.a.#'], true],
    ['#.a.#', ['a.#', '*.#.a.#'], true],
    ['#.a.#', ['a.#', '#.a'], false],
    ['#.a.b.#', ['#.a.#'], true],
    ['#.a.#', ['#.a.b.#', '#.a.a.#'], false],
    ['a.#.b', ['a.#.b'], true],
    ['a.#.b', ['a.b', 'a.*.#.b'], true],
    ['a.#.b', ['a.b', 'a.*.b'], false],
    ['a.#.b', ['a.#'], true],
    ['a.#.b', ['#.b'], true],
    ['a.#', ['a.#.b'], false],
    ['user.42.#', ['user.42.#', 'public.#'], true],
    ['user.4.#', ['user.42.#'], false],
    ['user.*.#', ['user.1.#', 'user.2.#'], false],
    ['user.#', ['user.42.#'], false],
    ['a', [], false],
  ])('%s in %j: %s', (asked, allowed, expected) => {
    expect(isContained(asked, allowed)).toBe(expected);
    expect(isContained(asked, Object.freeze([...allowed]))).toBe(expected);
  });

  it('by the list as it is now, if the list may change', () => {
    const allowed = ['a'];
    expect(isContained('b', allowed)).toBe(false);
    allowed.push('b');
    expect(isContained('b', allowed)).toBe(true);
  });
});

describe('[H-03] [I-8] Comparing patterns', () => {
  it('is refused beyond 10,000 sets of states', () => {
    const budget = new SearchBudget();
    budget.assertStates(10_000);
    expect(() => budget.assertStates(10_001)).toThrow(expect.objectContaining({ code: 'TOPICS_TOO_COMPLEX' }));
  });

  it('tells a client that asks for too much that a retry does not help', () => {
    const allowed = list(() => repeat(60, '#', () => random.pick('a', 'b')).concat('.z'));
    const asked = repeat(60, '#', () => random.pick('a', 'b')).concat('.y');
    expect(() => isContained(asked, allowed)).toThrow(
      expect.objectContaining({ code: 'TOPICS_TOO_COMPLEX', retryable: false }),
    );
  });

  it('takes at most some milliseconds of CPU for the patterns that are hardest to compare', () => {
    for (const [name, [asked, allowed]] of Object.entries(hard)) {
      for (const pattern of [asked, ...allowed]) expect(isPattern(pattern), `${name}: ${pattern}`).toBe(true);
      // The least of several times: those of other processes and of the garbage collector are not meant.
      const times = Array.from({ length: 5 }, () => cpuOf(() => answerOf(asked, [...allowed])));
      expect(Math.min(...times), name).toBeLessThan(20);
    }
  });

  it('of a thousand topics with a thousand rules is within the budget of one request', () => {
    const rules = Object.freeze(list((at) => `org.${at}.team.#`));
    const budget = new SearchBudget();
    for (let at = 0; at < 1_000; at++) {
      expect(isContained(`org.${at}.team.x`, rules, budget)).toBe(true);
    }
    expect(isContained('org.*.team.x', rules, budget)).toBe(false);
  });
});

const random = new Random(1_411);

/** Lists of a thousand patterns, and a pattern to compare with them. */
const hard: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  'a topic, and wildcards between its words': [
    words(127, () => random.pick('a', 'b')),
    list(() => repeat(60, '#', () => random.pick('a', 'b')).concat('.z')),
  ],
  'wildcards between all words': [
    repeat(60, '#', () => random.pick('a', 'b')).concat('.y'),
    list(() => repeat(60, '#', () => random.pick('a', 'b')).concat('.z')),
  ],
  'runs of wildcards of each length': [
    words(60, () => 'a.#'),
    list((at) => `${words(1 + (at % 120), () => '*')}.${random.pick('a', '*')}.#.q`),
  ],
  'a word that is far from the end': [
    `#.a.${words(20, () => '*')}`,
    list((at) => `#.${words(1 + (at % 100), () => random.pick('a', '*'))}`),
  ],
  'a word or a wildcard at each place': [
    words(127, () => 'a'),
    list(() => `${words(126, () => random.pick('a', '*'))}.b`),
  ],
  'all kinds of words': [words(30, () => '#.a.*'), list(() => words(100, () => random.pick('#', 'a', '*')))],
  'wildcards alone': [`${words(60, () => '*')}.#`, list((at) => `${words(1 + (at % 120), () => '*')}.a`)],
  'long words': [`#.${'x'.repeat(250)}`, list((at) => `${'y'.repeat(240)}${at}.#`)],
};

function words(count: number, word: () => string): string {
  return Array.from({ length: count }, word).join('.');
}

function repeat(count: number, before: string, word: () => string): string {
  return words(count, () => `${before}.${word()}`);
}

function list(pattern: (at: number) => string): string[] {
  return Array.from({ length: 1_000 }, (_, at) => pattern(at));
}

/** In milliseconds. */
function cpuOf(work: () => void): number {
  const since = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

function answerOf(asked: string, allowed: readonly string[]): boolean | string {
  try {
    return isContained(asked, allowed);
  } catch (error) {
    if (error instanceof PregonError) return error.code;
    throw error;
  }
}
