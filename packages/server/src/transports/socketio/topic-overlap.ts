import { isTopic, PregonError, patternsOverlap } from '@pregon/protocol';
import type { ClientConnection } from '../../core/connections/client-connection.js';

/**
 * The most pairs of words that are compared for one request. That takes a few milliseconds, while a request costs its
 * sender nothing.
 */
const MOST_PAIRS = 100_000;

/**
 * Checks that no topic overlaps with another subscription of the connection: an event that matches both would reach the
 * client's handler twice.
 *
 * @throws PregonError TOPICS_OVERLAP; TOO_MANY_SUBSCRIPTIONS if there are too many topics to compare
 */
export function assertNoOverlap(topics: readonly string[], connection: ClientConnection): void {
  const literals = new Set(topics.filter(isTopic));
  const wildcards = topics.filter((topic) => !literals.has(topic));
  const words = { all: countWords(topics), wildcards: countWords(wildcards) };
  let pairs = 0;
  for (const [id, others] of connection.topics()) {
    for (const other of others) {
      // Two topics without wildcards are either equal or disjoint.
      if (literals.has(other)) throw overlap(id, other);
      const isLiteral = isTopic(other);
      const candidates = isLiteral ? wildcards : topics;
      pairs += (isLiteral ? words.wildcards : words.all) * countWords([other]);
      if (pairs > MOST_PAIRS) throw tooMany();
      if (candidates.some((topic) => patternsOverlap(topic, other))) throw overlap(id, other);
    }
  }
}

function countWords(patterns: readonly string[]): number {
  return patterns.reduce((sum, pattern) => sum + pattern.split('.').length, 0);
}

function overlap(id: number, topic: string): PregonError {
  const who = id === 0 ? 'the handshake requested' : `subscription ${id} has`;
  return new PregonError('TOPICS_OVERLAP', `${who} ${topic} already; its events would arrive twice`);
}

function tooMany(): PregonError {
  return new PregonError(
    'TOO_MANY_SUBSCRIPTIONS',
    'too many topics with wildcards to check them for overlaps: request them in the handshake, or in one subscription',
  );
}
