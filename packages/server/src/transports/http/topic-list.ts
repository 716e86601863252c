import { assertPattern } from '@pregon/protocol';
import { assertTopicCount, type SubscriptionLimits } from '../../core/topics/topic-limits.js';

/** So long may a request target be; one with all topics that fit into a header of Node.js's default size is far shorter. */
export const MAX_TARGET_CHARACTERS = 65_536;

/**
 * Splits what was written as one text: `user.#,auction.42.*`.
 *
 * @throws PregonError TOO_MANY_SUBSCRIPTIONS, before there are more topics than a connection may have
 */
export function splitTopics(list: string, limits: Pick<SubscriptionLimits, 'maxTopics'>): readonly string[] {
  const topics = list.split(',', limits.maxTopics + 1);
  assertTopicCount(topics.length, limits);
  return topics;
}

/** @throws PregonError TOO_MANY_SUBSCRIPTIONS | TOPIC_INVALID */
export function assertTopics(topics: readonly string[], limits: Pick<SubscriptionLimits, 'maxTopics'>): void {
  assertTopicCount(topics.length, limits);
  for (const topic of topics) assertPattern(topic);
}
