import { PregonError, type Since } from '@pregon/protocol';
import { z } from 'zod';
import { assertTopicCount, type SubscriptionLimits } from '../../core/topics/topic-limits.js';
import { assertTopics, splitTopics } from '../http/topic-list.js';
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

const unsubscribe = z.union([z.number(), z.object({ id: z.number() }).transform(({ id }) => id)]);
const topics = z.union([z.string().transform((list) => list.split(',')), z.array(z.string())]);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

const asked = z.object({
  topics: topics.optional(),
  since: z.string().optional(),
  snapshot: flag.optional(),
  names: z.enum(['type', 'event', 'both']).optional(),
});

const request = z.union([topics.transform((list) => ({ topics: list })), z.object({ ...asked.shape, topics })]);

/**
 * Reads what is asked for in `auth`, or in the query where `auth` says nothing of it.
 *
 * @throws PregonError FRAME_INVALID | TOO_MANY_SUBSCRIPTIONS | TOPIC_INVALID
 */
export function parseHandshake(auth: object, query: object, limits: Limits): Handshake {
  const { topics, since, snapshot = false, names = 'both' } = parse(asked, { ...query, ...auth }, limits);
  if (topics) assertTopics(topics, limits);
  const offset: unknown = Reflect.get(auth, 'offset');
  return {
    topics,
    since,
    snapshot,
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
  const parsed: { topics: string[]; since?: string | undefined; snapshot?: boolean | undefined } = parse(
    request,
    data,
    limits,
  );
  assertTopics(parsed.topics, limits);
  return { topics: parsed.topics, since: parsed.since, snapshot: parsed.snapshot ?? false };
}

/** The id of the subscription: as it is, or as `{ id }`. @throws PregonError FRAME_INVALID */
export function parseUnsubscribe(data: unknown): number {
  return parse(unsubscribe, data);
}

function parse<T>(schema: z.ZodType<T>, data: unknown, limits?: Limits): T {
  if (limits) assertCount(data, limits);
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new PregonError('FRAME_INVALID', `${where}${issue?.message ?? 'not what was expected'}`);
}

/** More would be refused in the end; here before each of them is looked at. */
function assertCount(data: unknown, limits: Limits): void {
  const isList = Array.isArray(data) || typeof data === 'string';
  const list: unknown = isList ? data : Reflect.get(Object(data), 'topics');
  if (Array.isArray(list)) assertTopicCount(list.length, limits);
  else if (typeof list === 'string') splitTopics(list, limits);
}
