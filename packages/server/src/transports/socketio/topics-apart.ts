import { isTopic, PregonError, patternsOverlap } from '@pregon/protocol';
import type { Connection } from '../../core/connection.js';

/** How many pairs of patterns are compared for one request: each takes about a microsecond, and a request costs its sender nothing. */
const MOST_PAIRS = 1_000;

/**
 * An event that two subscriptions of a connection have would reach the client's handler twice.
 *
 * @throws PregonError TOPICS_OVERLAP; TOO_MANY_SUBSCRIPTIONS where there are too many to compare
 */
export function assertApart(topics: readonly string[], connection: Connection): void {
  const literals = new Set(topics.filter(isTopic));
  const wildcards = topics.filter((topic) => !literals.has(topic));
  let pairs = 0;
  for (const [id, others] of connection.topics()) {
    for (const other of others) {
      // Two topics without wildcards are the same or have nothing in common.
      if (literals.has(other)) throw overlap(id, other);
      const candidates = isTopic(other) ? wildcards : topics;
      pairs += candidates.length;
      if (pairs > MOST_PAIRS) throw tooMany();
      if (candidates.some((topic) => patternsOverlap(topic, other))) throw overlap(id, other);
    }
  }
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
