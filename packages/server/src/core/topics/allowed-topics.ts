import { PregonError } from '@pregon/protocol';
import type { Rights } from '../ports/rights.js';
import { isContained } from './containment.js';
import { SearchBudget } from './search-budget.js';

/**
 * Checks that a connection may subscribe to these topics. A subscription without topics, or with exactly `['#']`, is always allowed: it
 * means all that the rights allow, which may be nothing. Each other pattern must lie within the patterns that are allowed, taken
 * together. So the answer depends on the rights only, and tells nothing about what exists.
 *
 * The rights must also stay in the filter of the subscription: this check alone narrows nothing.
 *
 * @param topics valid patterns
 * @param budget what the comparison may cost. Default: a budget of its own
 * @throws PregonError FORBIDDEN, with the first pattern that is not allowed; TOPICS_TOO_COMPLEX if the check takes too long
 */
export function assertAllowed(
  topics: readonly string[] | undefined,
  { subscribe }: Pick<Rights, 'subscribe'>,
  budget: SearchBudget = new SearchBudget(),
): void {
  if (isEverything(topics)) return;
  for (const asked of topics) {
    if (!isContained(asked, subscribe, budget)) {
      throw new PregonError('FORBIDDEN', `not allowed: ${JSON.stringify(asked)}`);
    }
  }
}

/** Whether a client asks for all that its rights allow: without topics, or with exactly `#`. */
export function isEverything(topics: readonly string[] | undefined): topics is undefined | readonly ['#'] {
  return topics === undefined || (topics.length === 1 && topics[0] === '#');
}
