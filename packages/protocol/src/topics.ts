import { PregonError } from './errors.js';
import { utf8Length } from './utf8-length.js';

/** The longest topic or pattern, in bytes of UTF-8, as an AMQP short string (AMQP 0-9-1 section 4.2.5.3). */
export const MAX_TOPIC_BYTES = 255;

/** Words of printable ASCII or wildcards between dots: one test for nearly all patterns, which a client sends by the thousand. */
const ASCII_PATTERN = /^(?:[*#]|[!"$-)+,\-/-~]+)(?:\.(?:[*#]|[!"$-)+,\-/-~]+))*$/;

/** True where `topic` is a dotted routing key without wildcards, blanks or control characters. */
export function isTopic(topic: string): boolean {
  return isPattern(topic) && !topic.split('.').some((word) => word === '*' || word === '#');
}

/**
 * True where `pattern` is an AMQP topic pattern: words between dots, `*` for exactly one word, `#` for any number of
 * words, none included. A wildcard stands for whole words only; empty words are refused, and lone surrogates, which UTF-8 cannot hold.
 */
export function isPattern(pattern: string): boolean {
  if (pattern.length <= MAX_TOPIC_BYTES && ASCII_PATTERN.test(pattern)) return true;
  if (pattern.length === 0 || pattern.length > MAX_TOPIC_BYTES || utf8Length(pattern) > MAX_TOPIC_BYTES) return false;
  return pattern.split('.').every((word) => word === '*' || word === '#' || /^[^\s.*#\p{Cc}\p{Cs}]+$/u.test(word));
}

/** @throws PregonError TOPIC_INVALID */
export function assertPattern(pattern: string): void {
  if (!isPattern(pattern)) {
    throw new PregonError('TOPIC_INVALID', `not a topic pattern: ${JSON.stringify(pattern.slice(0, 80))}`);
  }
}

/** @throws PregonError TOPIC_INVALID */
export function assertTopic(topic: string): void {
  if (!isTopic(topic)) {
    throw new PregonError('TOPIC_INVALID', `not a topic: ${JSON.stringify(topic.slice(0, 80))}`);
  }
}

/** Whether a topic matches an AMQP topic pattern, in time that grows with the words of both. Both are taken as valid. */
export function matchesTopic(pattern: string, topic: string): boolean {
  if (pattern === '#' || pattern === topic) return true;
  return matchesWords(pattern.split('.'), topic.split('.'));
}

function matchesWords(pattern: readonly string[], topic: readonly string[]): boolean {
  let p = 0;
  let hash = -1;
  let taken = 0;
  for (let t = 0; t < topic.length; ) {
    const word = pattern[p];
    if (word === '#') {
      hash = p++;
      taken = t;
    } else if (word === '*' || word === topic[t]) {
      p += 1;
      t += 1;
    } else if (hash >= 0) {
      // The last `#` takes one word more. An earlier one need not: what it gave up, the last one can take as well.
      p = hash + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (pattern[p] === '#') p += 1;
  return p === pattern.length;
}

/** Whether some topic matches both patterns. Both are taken as valid. */
export function patternsOverlap(a: string, b: string): boolean {
  return wordsOverlap(a.split('.'), b.split('.'));
}

/** Table over both: `row[j]` tells whether what is left of `a` and `b` from here and from `j` on has a topic in common. */
function wordsOverlap(a: readonly string[], b: readonly string[]): boolean {
  let below: boolean[] = [];
  for (let i = a.length; i >= 0; i--) {
    const row: boolean[] = [];
    for (let j = b.length; j >= 0; j--) {
      const [left, right] = [a[i], b[j]];
      if (left === undefined && right === undefined) row[j] = true;
      else if (left === '#') row[j] = (below[j] ?? false) || (row[j + 1] ?? false);
      else if (right === '#') row[j] = (row[j + 1] ?? false) || (below[j] ?? false);
      else row[j] = left !== undefined && right !== undefined && wordsMeet(left, right) && (below[j + 1] ?? false);
    }
    below = row;
  }
  return below[0] ?? false;
}

function wordsMeet(a: string, b: string): boolean {
  return a === b || a === '*' || b === '*';
}

/**
 * The canonical form of a list of patterns: sorted, each in its canonical form and once, `['#']` if one of them matches everything.
 * Two lists with the same canonical form select the same events.
 */
export function canonicalPatterns(patterns: readonly string[]): string[] {
  const canonical = new Set(patterns.map(canonicalPattern));
  return canonical.has('#') ? ['#'] : [...canonical].sort();
}

/**
 * A run of wildcards with a `#` in it takes at least as many words as it has `*`, in whatever order they stand: it is written as
 * its `*`, then one `#`. So `#.#` is `#`, and `#.*` is `*.#`.
 */
function canonicalPattern(pattern: string): string {
  if (!pattern.includes('#.#') && !pattern.includes('#.*')) return pattern;
  const words: string[] = [];
  let open = false;
  for (const word of pattern.split('.')) {
    if (word === '#') {
      open = true;
    } else {
      if (open && word !== '*') {
        words.push('#');
        open = false;
      }
      words.push(word);
    }
  }
  if (open) words.push('#');
  return words.join('.');
}
