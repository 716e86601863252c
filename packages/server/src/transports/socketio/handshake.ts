import { PregonError, type Since } from '@pregon/protocol';
import { assertTopicCount, type SubscriptionLimits } from '../../core/topics/topic-limits.js';
import { assertTopics, splitTopics } from '../http/query.js';
import type { EventNames } from './event-packets.js';
import { type Offset, parseOffset } from './recovery/offset.js';

/** What a client asks for when it connects. */
export interface Handshake {
  /** None: nothing yet, it will `subscribe`. @default all of the route */
  readonly topics: readonly string[] | undefined;
  readonly since: Since | undefined;
  readonly snapshot: boolean;
  readonly names: EventNames;
  /** Where a client stands that comes back. */
  readonly offset: Offset | undefined;
}

type Limits = Pick<SubscriptionLimits, 'maxTopics'>;

const NAMES: ReadonlySet<unknown> = new Set(['type', 'event', 'both'] satisfies EventNames[]);

const FLAGS: ReadonlySet<unknown> = new Set([true, false, 'true', 'false']);

/**
 * Reads what is asked for in `auth`, or in the query where `auth` says nothing of it.
 *
 * @throws PregonError FRAME_INVALID | TOO_MANY_SUBSCRIPTIONS | TOPIC_INVALID
 */
export function parseHandshake(auth: object, query: object, limits: Limits): Handshake {
  const request = { ...query, ...auth };
  const names: unknown = Reflect.get(request, 'names') ?? 'both';
  const topics = topicsIn(request, limits);
  if (topics) assertTopics(topics, limits);
  const offset: unknown = Reflect.get(auth, 'offset');
  if (!isNames(names)) throw invalid('names: "type", "event" or "both"');
  return {
    topics,
    ...wishesIn(request),
    names,
    offset: typeof offset === 'string' ? parseOffset(offset) : undefined,
  };
}

/** What a client asks for when it emits `subscribe`: topics, or an object as in the handshake. */
export interface SubscribeRequest {
  readonly topics: readonly string[];
  readonly since: Since | undefined;
  readonly snapshot: boolean;
}

/** @throws PregonError FRAME_INVALID | TOO_MANY_SUBSCRIPTIONS | TOPIC_INVALID */
export function parseSubscribe(data: unknown, limits: Limits): SubscribeRequest {
  const isList = typeof data === 'string' || Array.isArray(data);
  const request = isList ? { topics: data } : objectIn(data);
  const topics = topicsIn(request, limits);
  if (topics === undefined) throw invalid('topics: what is subscribed to');
  assertTopics(topics, limits);
  return { topics, ...wishesIn(request) };
}

/** The id of the subscription: as it is, or as `{ id }`. @throws PregonError FRAME_INVALID */
export function parseUnsubscribe(data: unknown): number {
  const id: unknown = typeof data === 'number' ? data : Reflect.get(objectIn(data), 'id');
  if (typeof id === 'number' && Number.isFinite(id)) return id;
  throw invalid('id: the number of a subscription');
}

/** More than may be asked for is refused before each of them is looked at. */
function topicsIn(request: object, limits: Limits): readonly string[] | undefined {
  const topics: unknown = Reflect.get(request, 'topics');
  if (topics === undefined) return undefined;
  if (typeof topics === 'string') return splitTopics(topics, limits);
  if (!Array.isArray(topics)) throw invalid('topics: a list, or a text with commas');
  assertTopicCount(topics.length, limits);
  if (!topics.every((topic) => typeof topic === 'string')) throw invalid('topics: each is a text');
  return topics;
}

function wishesIn(request: object): Pick<SubscribeRequest, 'since' | 'snapshot'> {
  const since: unknown = Reflect.get(request, 'since');
  if (since !== undefined && typeof since !== 'string') throw invalid('since: a position, or "first"');
  const snapshot: unknown = Reflect.get(request, 'snapshot');
  // In a query it is a text.
  if (snapshot !== undefined && !FLAGS.has(snapshot)) throw invalid('snapshot: true or false');
  return { since, snapshot: snapshot === true || snapshot === 'true' };
}

function objectIn(data: unknown): object {
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data;
  throw invalid('an object was expected');
}

function isNames(value: unknown): value is EventNames {
  return NAMES.has(value);
}

function invalid(message: string): PregonError {
  return new PregonError('FRAME_INVALID', message);
}
