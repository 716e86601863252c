import { PregonError, type Since } from '@pregon/protocol';
import { assertTopicCount, type SubscriptionLimits } from '../../core/topics/topic-limits.js';
import { assertTopics, splitTopics } from '../http/query.js';
import type { EventNames } from './event-packets.js';
import { type Offset, parseOffset } from './recovery/offset.js';

/** The options that a client sends when it connects. */
export interface Handshake {
  /** An empty list subscribes to nothing; the client then emits `subscribe` later. @default all topics of the route */
  readonly topics: readonly string[] | undefined;
  readonly since: Since | undefined;
  readonly snapshot: boolean;
  readonly names: EventNames;
  /** The offset of a reconnecting client. */
  readonly offset: Offset | undefined;
}

type Limits = Pick<SubscriptionLimits, 'maxTopics'>;

const NAMES: ReadonlySet<unknown> = new Set(['type', 'event', 'both'] satisfies EventNames[]);

const FLAGS: ReadonlySet<unknown> = new Set([true, false, 'true', 'false']);

/**
 * Parses the options from `auth`; options that `auth` lacks are taken from the query.
 *
 * @throws PregonError FRAME_INVALID | TOO_MANY_SUBSCRIPTIONS | TOPIC_INVALID
 */
export function parseHandshake(auth: object, query: object, limits: Limits): Handshake {
  const request = { ...query, ...auth };
  const names: unknown = Reflect.get(request, 'names') ?? 'both';
  const topics = topicsIn(request, limits);
  if (topics) assertTopics(topics, limits);
  const offset: unknown = Reflect.get(auth, 'offset');
  if (!isNames(names)) throw invalid('names must be "type", "event" or "both"');
  return {
    topics,
    ...wishesIn(request),
    names,
    offset: typeof offset === 'string' ? parseOffset(offset) : undefined,
  };
}

/** The argument of a client's `subscribe`: topics, or an object as in the handshake. */
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
  if (topics === undefined) throw invalid('topics are missing: pass a list of topic patterns');
  assertTopics(topics, limits);
  return { topics, ...wishesIn(request) };
}

/** Returns the id of a subscription, given as a number or as `{ id }`. @throws PregonError FRAME_INVALID */
export function parseUnsubscribe(data: unknown): number {
  const id: unknown = typeof data === 'number' ? data : Reflect.get(objectIn(data), 'id');
  if (typeof id === 'number' && Number.isFinite(id)) return id;
  throw invalid('id must be the number of a subscription');
}

/** Refuses too many topics before any of them is examined. */
function topicsIn(request: object, limits: Limits): readonly string[] | undefined {
  const topics: unknown = Reflect.get(request, 'topics');
  if (topics === undefined) return undefined;
  if (typeof topics === 'string') return splitTopics(topics, limits);
  if (!Array.isArray(topics)) throw invalid('topics must be a list, or a string with commas');
  assertTopicCount(topics.length, limits);
  if (!topics.every((topic) => typeof topic === 'string')) throw invalid('topics: each topic must be a string');
  return topics;
}

function wishesIn(request: object): Pick<SubscribeRequest, 'since' | 'snapshot'> {
  const since: unknown = Reflect.get(request, 'since');
  if (since !== undefined && typeof since !== 'string') throw invalid('since must be a position, or "first"');
  const snapshot: unknown = Reflect.get(request, 'snapshot');
  // In a query, the value is a string.
  if (snapshot !== undefined && !FLAGS.has(snapshot)) throw invalid('snapshot must be true or false');
  return { since, snapshot: snapshot === true || snapshot === 'true' };
}

function objectIn(data: unknown): object {
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data;
  throw invalid('the argument must be an object');
}

function isNames(value: unknown): value is EventNames {
  return NAMES.has(value);
}

function invalid(message: string): PregonError {
  return new PregonError('FRAME_INVALID', message);
}
