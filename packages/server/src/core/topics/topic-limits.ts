import { PregonError } from '@pregon/protocol';
import type { Filter } from './filter.js';
import { countWords } from './pattern-cost.js';

/** How much one connection may ask for. */
export interface SubscriptionLimits {
  readonly maxSubscriptions: number;
  /** Topic patterns of all subscriptions together. */
  readonly maxTopics: number;
  /** Their bytes in UTF-8. */
  readonly maxTopicsBytes: number;
}

/** The most words in all topic patterns of a connection: each with a wildcard beside it takes about a hundred bytes of the topic index. */
const MOST_WORDS = 10_000;

/** The most steps that matching one topic with all patterns of a connection may take: some tenths of a millisecond. */
const MOST_STEPS = 2_500;

/**
 * Refuses a list before anything is done with its patterns.
 *
 * @throws PregonError TOO_MANY_SUBSCRIPTIONS
 */
export function assertTopicCount(count: number, { maxTopics }: Pick<SubscriptionLimits, 'maxTopics'>): void {
  if (count > maxTopics) throw tooMany(`at most ${maxTopics} topic patterns are taken on one connection`);
}

/**
 * Refuses a list of patterns that no connection may have, before a filter is made of it.
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
 * Whether a connection may have one filter more beside those that it has.
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
    throw tooMany(`at most ${limits.maxTopicsBytes} bytes of topic patterns are taken on one connection`);
  }
  if (words > MOST_WORDS) throw tooManyWords();
  if (steps > MOST_STEPS) {
    throw tooMany('the topic patterns of this connection are too costly to match: use fewer kinds of wildcards');
  }
}

function tooManyWords(): PregonError {
  return tooMany(`at most ${MOST_WORDS} words are taken in all topic patterns of one connection`);
}

function tooMany(message: string): PregonError {
  return new PregonError('TOO_MANY_SUBSCRIPTIONS', message);
}
