import { PregonError } from './errors.js';
import { utf8Length } from './utf8-length.js';

/**
 * The maximum size of a topic or pattern, in bytes of UTF-8: the limit of an AMQP short string (AMQP 0-9-1 section
 * 4.2.5.3).
 */
export const MAX_TOPIC_BYTES = 255;

/**
 * Fast path: printable ASCII words or wildcards between dots. Nearly all patterns match it, and a client may send
 * thousands.
 */
const ASCII_PATTERN = /^(?:[*#]|[!"$-)+,\-/-~]+)(?:\.(?:[*#]|[!"$-)+,\-/-~]+))*$/;

/**
 * Tells whether `topic` is a dotted routing key without wildcards, blanks or control characters.
 *
 * @example
 * isTopic('user.42.created'); // true
 * isTopic('user.#'); // false: a wildcard makes it a pattern
 */
export function isTopic(topic: string): boolean {
  return isPattern(topic) && !/[*#]/.test(topic);
}

/**
 * Tells whether `pattern` is an AMQP topic pattern: words between dots, where `*` matches exactly one word and `#` any
 * number of words, also zero. A wildcard replaces a whole word. Empty words are invalid, and so are lone surrogates,
 * which UTF-8 cannot encode.
 *
 * @example
 * isPattern('auction.*.bid'); // true
 * isPattern('user.4*'); // false: `*` is only a part of the word
 */
export function isPattern(pattern: string): boolean {
  if (pattern.length <= MAX_TOPIC_BYTES && ASCII_PATTERN.test(pattern)) return true;
  if (pattern.length === 0 || pattern.length > MAX_TOPIC_BYTES || utf8Length(pattern) > MAX_TOPIC_BYTES) return false;
  return pattern.split('.').every((word) => /^(?:[*#]|[^\s.*#\p{Cc}\p{Cs}]+)$/u.test(word));
}

/**
 * Checks that `pattern` is an AMQP topic pattern, see {@link isPattern}.
 *
 * @throws PregonError TOPIC_INVALID if it is not
 * @example
 * assertPattern('user.#');
 */
export function assertPattern(pattern: string): void {
  if (!isPattern(pattern)) {
    throw new PregonError('TOPIC_INVALID', `not a topic pattern: ${JSON.stringify(pattern.slice(0, 80))}`);
  }
}

/**
 * Checks that `topic` is a topic, see {@link isTopic}.
 *
 * @throws PregonError TOPIC_INVALID if it is not
 * @example
 * assertTopic('user.42.created');
 */
export function assertTopic(topic: string): void {
  if (!isTopic(topic)) {
    throw new PregonError('TOPIC_INVALID', `not a topic: ${JSON.stringify(topic.slice(0, 80))}`);
  }
}

/**
 * Tells whether `topic` matches an AMQP topic pattern. The time is at most proportional to the product of the numbers
 * of words. Both arguments must be valid: this function does not check them.
 *
 * @example
 * matchesTopic('user.#', 'user.42.created'); // true
 * matchesTopic('user.*', 'user.42.created'); // false: `*` matches one word
 */
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
      // Only the last `#` needs to take one more word: whatever an earlier `#` could take, the last one can take as
      // well.
      p = hash + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (pattern[p] === '#') p += 1;
  return p === pattern.length;
}

/**
 * Tells whether at least one topic matches both patterns. Both must be valid: this function does not check them.
 *
 * @example
 * patternsOverlap('user.*', '*.created'); // true: both match `user.created`
 * patternsOverlap('user.#', 'auction.#'); // false
 */
export function patternsOverlap(a: string, b: string): boolean {
  return wordsOverlap(a.split('.'), b.split('.'));
}

/**
 * Dynamic programming: `row[j]` tells whether the rest of `a` from `i` and the rest of `b` from `j` have a topic in
 * common.
 */
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
 * Returns the canonical form of a list of patterns: each pattern in canonical form, sorted, without repetitions. If one
 * of them matches every topic, the result is `['#']`. Two lists with the same canonical form select the same events.
 *
 * @example
 * canonicalPatterns(['user.#', 'auction.#.#']); // ['auction.#', 'user.#']
 */
export function canonicalPatterns(patterns: readonly string[]): string[] {
  const canonical = new Set(patterns.map(canonicalPattern));
  return canonical.has('#') ? ['#'] : [...canonical].sort();
}

/**
 * A run of wildcards that contains a `#` matches at least as many words as it has `*`, in any order. Its canonical form
 * is all its `*`, then one `#`: `#.#` becomes `#`, and `#.*` becomes `*.#`.
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
