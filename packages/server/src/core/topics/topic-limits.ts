import { PregonError } from '@pregon/protocol';
import type { Filter } from './filter.js';
import { countWords } from './pattern-cost.js';

/** The limits of one connection's subscriptions. */
export interface SubscriptionLimits {
  readonly maxSubscriptions: number;
  /** The most topic patterns in all subscriptions together. */
  readonly maxTopics: number;
  /** The most bytes of these patterns in UTF-8. */
  readonly maxTopicsBytes: number;
}

/**
 * The most words in all topic patterns of a connection. A word of a pattern with wildcards takes about a hundred bytes
 * of the topic index.
 */
const MOST_WORDS = 10_000;

/** The most steps for matching one topic with all patterns of a connection: some tenths of a millisecond. */
const MOST_STEPS = 2_500;

/**
 * Checks the length of a list of patterns before the patterns are read.
 *
 * @throws PregonError TOO_MANY_SUBSCRIPTIONS
 */
export function assertTopicCount(count: number, { maxTopics }: Pick<SubscriptionLimits, 'maxTopics'>): void {
  if (count > maxTopics) throw tooMany(`a connection may have at most ${maxTopics} topic patterns: use fewer`);
}

/**
 * Checks a list of patterns before a filter is made from it: refuses a list that is too large for any connection.
 *
 * @throws PregonError TOO_MANY_SUBSCRIPTIONS
 */
export function assertTopicList(topics: readonly string[], limits: SubscriptionLimits): void {
  assertTopicCount(topics.length, limits);
  let words = 0;
  for (const pattern of topics) words += countWords(pattern);
  if (words > MOST_WORDS) throw tooManyWords();
}

/**
 * Checks that a connection may have one more filter beside its open ones.
 *
 * @throws PregonError TOO_MANY_SUBSCRIPTIONS
 */
export function assertRoomFor(more: Filter, held: Iterable<Filter>, limits: SubscriptionLimits): void {
  let { patterns, bytes, words, steps } = more.cost;
  for (const { cost } of held) {
    patterns += cost.patterns;
    bytes += cost.bytes;
    words += cost.words;
    steps += cost.steps;
  }
  assertTopicCount(patterns, limits);
  if (bytes > limits.maxTopicsBytes) {
    throw tooMany(`a connection may have at most ${limits.maxTopicsBytes} bytes of topic patterns: use fewer`);
  }
  if (words > MOST_WORDS) throw tooManyWords();
  if (steps > MOST_STEPS) {
    throw tooMany('the topic patterns of this connection are too costly to match: use fewer kinds of wildcards');
  }
}

function tooManyWords(): PregonError {
  return tooMany(`the topic patterns of a connection may have at most ${MOST_WORDS} words: use fewer or shorter ones`);
}

function tooMany(message: string): PregonError {
  return new PregonError('TOO_MANY_SUBSCRIPTIONS', message);
}
