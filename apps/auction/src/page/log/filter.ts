import { isPattern, matchesTopic } from '@pregon/protocol';

/** Whether an event with this topic is to be shown. */
export type TopicFilter = (topic: string) => boolean;

/**
 * Reads AMQP topic patterns, between blanks or commas; an event is shown where one of them matches. Nothing typed shows everything.
 *
 * @returns undefined where one of them is no pattern
 */
export function parseFilter(text: string): TopicFilter | undefined {
  const patterns = text.split(/[\s,]+/).filter((word) => word !== '');
  if (!patterns.every(isPattern)) return undefined;
  if (patterns.length === 0) return () => true;
  return (topic) => patterns.some((pattern) => matchesTopic(pattern, topic));
}
