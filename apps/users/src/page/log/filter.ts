import { isPattern, matchesTopic } from '@pregon/protocol';

/** Whether an event with this topic is shown. */
export type TopicFilter = (topic: string) => boolean;

/** A word of a topic, and whether a pattern contains it. */
export interface TopicWord {
  readonly word: string;
  readonly isNamed: boolean;
}

/** The patterns in a text, separated by white space or commas; undefined if one of them is not a pattern. */
export function parsePatterns(text: string): readonly string[] | undefined {
  const patterns = text.split(/[\s,]+/).filter((word) => word !== '');
  return patterns.every(isPattern) ? patterns : undefined;
}

/** A filter that passes a topic if one of the patterns matches; without patterns, it passes all. */
export function filterOf(patterns: readonly string[]): TopicFilter {
  if (patterns.length === 0) return () => true;
  return (topic) => patterns.some((pattern) => matchesTopic(pattern, topic));
}

/** Reads AMQP topic patterns. @returns undefined if one of them is not a pattern */
export function parseFilter(text: string): TopicFilter | undefined {
  const patterns = parsePatterns(text);
  return patterns && filterOf(patterns);
}

/** The words of a topic; `isNamed` if a matching pattern contains the word itself, not a wildcard for it. */
export function namedWords(topic: string, patterns: readonly string[]): TopicWord[] {
  const words = topic.split('.');
  const named = new Set<number>();
  for (const pattern of patterns) {
    if (!matchesTopic(pattern, topic)) continue;
    const parts = pattern.split('.');
    const first = parts.indexOf('#');
    const before = first === -1 ? parts.length : first;
    const after = first === -1 ? 0 : parts.length - 1 - parts.lastIndexOf('#');
    for (let i = 0; i < before; i++) if (parts[i] !== '*') named.add(i);
    for (let i = 1; i <= after; i++) if (parts[parts.length - i] !== '*') named.add(words.length - i);
  }
  return words.map((word, index) => ({ word, isNamed: named.has(index) }));
}
