import { isTopic, PregonError, patternsOverlap } from '@pregon/protocol';
import type { ClientConnection } from '../../core/connections/client-connection.js';

/** How many pairs of words are compared for one request: some milliseconds, and a request costs its sender nothing. */
const MOST_PAIRS = 100_000;

/**
 * An event that two subscriptions of a connection have would reach the client's handler twice.
 *
 * @throws PregonError TOPICS_OVERLAP; TOO_MANY_SUBSCRIPTIONS where there are too many to compare
 */
export function assertNoOverlap(topics: readonly string[], connection: ClientConnection): void {
  const literals = new Set(topics.filter(isTopic));
  const wildcards = topics.filter((topic) => !literals.has(topic));
  const words = { all: countWords(topics), wildcards: countWords(wildcards) };
  let pairs = 0;
  for (const [id, others] of connection.topics()) {
    for (const other of others) {
      // Two topics without wildcards are the same or have nothing in common.
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
  const who = id === 0 ? 'the handshake asked for' : `subscription ${id} has`;
  return new PregonError('TOPICS_OVERLAP', `${who} ${topic} already; its events would come twice`);
}

function tooMany(): PregonError {
  return new PregonError(
    'TOO_MANY_SUBSCRIPTIONS',
    'too many topics with wildcards to tell them apart: ask for them in the handshake, or in one subscription',
  );
}
