import { assertPattern, decodePosition, type Since } from '@pregon/protocol';

/** What the URL of a plain WebSocket or an EventSource asks for. */
export interface Query {
  /** Path without query. */
  readonly path: string;
  /** `?topics=user.%23,auction.42.*`, or repeated. */
  readonly topics: readonly string[] | undefined;
  readonly since: Since | undefined;
  /** `?snapshot=true`, for event streams. */
  readonly snapshot: boolean;
}

/** Reads path and query of a request target, in origin form or in absolute form (RFC 9112 section 3.2). */
export function parseTarget(requestTarget: string): Query {
  const target = toOriginForm(requestTarget);
  const at = target.indexOf('?');
  if (at === -1) return { path: target, topics: undefined, since: undefined, snapshot: false };
  const parameters = new URLSearchParams(target.slice(at + 1));
  const topics = parameters.getAll('topics').flatMap((list) => list.split(','));
  return {
    path: target.slice(0, at),
    topics: topics.length === 0 ? undefined : topics,
    since: parameters.get('since') ?? undefined,
    snapshot: parameters.get('snapshot') === 'true',
  };
}

function toOriginForm(target: string): string {
  if (target.startsWith('/') || !URL.canParse(target)) return target;
  const { pathname, search } = new URL(target);
  return pathname + search;
}

/** @throws PregonError TOPIC_INVALID | POSITION_INVALID */
export function assertQuery(query: Query): void {
  for (const topic of query.topics ?? []) assertPattern(topic);
  if (query.since !== undefined && query.since !== 'first') decodePosition(query.since);
}
