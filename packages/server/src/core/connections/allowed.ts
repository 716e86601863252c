import { PregonError } from '@pregon/protocol';
import type { Rights } from '../ports/admission.js';
import { isContained } from '../topics/containment.js';

/** The name of a message without a name. */
const UNNAMED = 'message';

/**
 * The topic patterns of a subscription under these rights: undefined for all that is allowed, which is what no patterns
 * and exactly `['#']` ask for.
 *
 * @throws PregonError FORBIDDEN names the first pattern that is not within the rights | TOPICS_TOO_COMPLEX | TOPIC_INVALID
 */
export function allowedTopics(topics: readonly string[] | undefined, rights: Rights): readonly string[] | undefined {
  if (topics === undefined || (topics.length === 1 && topics[0] === '#')) return undefined;
  const outside = topics.find((pattern) => !isContained(pattern, rights.subscribe));
  if (outside === undefined) return topics;
  throw new PregonError('FORBIDDEN', `the topic pattern ${JSON.stringify(outside)} is not within what is allowed here`);
}

/** What a route does with a message. */
export interface MessageUse {
  /** A handler of the application gets it. */
  readonly handled: boolean;
  /** It is relayed to the other connections. */
  readonly relayed: boolean;
}

/** @throws PregonError FORBIDDEN */
export function assertMaySend(name: string | undefined, use: MessageUse, { send, broadcast }: Rights): void {
  const called = name ?? UNNAMED;
  const maySend = send === 'any' || send.has(called);
  if ((maySend || !use.handled) && (broadcast || !use.relayed) && (maySend || broadcast)) return;
  throw new PregonError('FORBIDDEN', `sending ${JSON.stringify(called.slice(0, 40))} is not allowed here`);
}
