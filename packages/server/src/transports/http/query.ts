import { assertPattern, assertPosition } from '@pregon/protocol';
import type { Query } from '../../core/ports/transport.js';
import { assertTopicCount, type SubscriptionLimits } from '../../core/topics/topic-limits.js';
import { canonicalTargetPath } from './path.js';

/** The longest accepted request target. All topics that fit into a header of Node.js's default size take far less. */
export const MAX_TARGET_CHARACTERS = 65_536;

/**
 * The names under which stock clients send the last event id in the query: `lastEventId` (event-source-polyfill,
 * reconnecting-eventsource), `lastEventID` (Mercure), `Last-Event-ID` (Mercure before 0.14, and as configured in
 * event-source-polyfill), `last_event_id`, `evs_last_event_id` (eventsource-polyfill), in upper or lower case.
 */
const LAST_EVENT_ID = /^(?:evs[-_]?|x[-_]?)?last[-_]?event[-_]?id$/i;

/** Parses path and query of a request target, in origin form or absolute form (RFC 9112 section 3.2). */
export function parseTarget(requestTarget: string, limits: Pick<SubscriptionLimits, 'maxTopics'>): Query {
  const target = toOriginForm(requestTarget);
  const path = withoutQuery(target);
  if (path === target) return { path, topics: undefined, since: undefined, lastEventId: undefined, snapshot: false };
  const parameters = new URLSearchParams(target.slice(path.length + 1));
  const topics = parameters.getAll('topics').flatMap((list) => {
    // One topic more than the limit is enough to refuse the request later.
    return list.split(',', limits.maxTopics + 1);
  });
  return {
    path,
    topics: topics.length === 0 ? undefined : topics,
    since: parameters.get('since') ?? undefined,
    lastEventId: lastEventIdIn(parameters),
    snapshot: parameters.get('snapshot') === 'true',
  };
}

/** Returns the last id that is not empty: clients append theirs to a URL that may already have one. */
function lastEventIdIn(parameters: URLSearchParams): string | undefined {
  let found: string | undefined;
  for (const [name, value] of parameters) if (value !== '' && LAST_EVENT_ID.test(name)) found = value;
  return found;
}

/** The canonical path of a request target, without the query. */
export function targetPath(requestTarget = '/'): string {
  return canonicalTargetPath(rawPath(requestTarget));
}

/** The path of a request target as it was sent, without the query. */
export function rawPath(requestTarget: string): string {
  return withoutQuery(toOriginForm(requestTarget));
}

function withoutQuery(target: string): string {
  const at = target.indexOf('?');
  return at === -1 ? target : target.slice(0, at);
}

function toOriginForm(target: string): string {
  if (target.startsWith('/') || !URL.canParse(target)) return target;
  const { pathname, search } = new URL(target);
  return pathname + search;
}

/** @throws PregonError TOO_MANY_SUBSCRIPTIONS | TOPIC_INVALID | POSITION_INVALID */
export function assertQuery(query: Query, limits: Pick<SubscriptionLimits, 'maxTopics'>): void {
  if (query.topics) assertTopics(query.topics, limits);
  if (query.since !== undefined && query.since !== 'first') assertPosition(query.since);
}

/**
 * Splits a comma-separated list: `user.#,auction.42.*`.
 *
 * @throws PregonError TOO_MANY_SUBSCRIPTIONS, before the list holds more topics than a connection may have
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
