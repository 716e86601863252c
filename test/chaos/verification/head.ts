import type { FollowerReport } from '../clients/settings.js';
import { LAST_TOPIC } from '../names.js';
import { CommittedEvents } from './committed-events.js';
import type { TableRow, Truth } from './truth.js';

/** The names of the followers that do not have all committed events yet, and of blocked ones that are still admitted. */
export function notAtHead(followers: readonly FollowerReport[], truth: Truth): string[] {
  return followers.filter((follower) => !isAtHead(follower, truth)).map(({ name }) => name);
}

function isAtHead(
  { user, isShutOut, lastId, topics, received, fromFirst, holds }: FollowerReport,
  truth: Truth,
): boolean {
  if (truth.revocations.some((revocation) => revocation.kind === 'block' && revocation.user === user)) return isShutOut;
  const committed = committedIn(truth);
  const { events } = committed.matching(topics);
  const last = events.at(-1);
  if (lastId === last?.id) return true;
  // A collection may have the last event from its snapshot; then it has the versions of the table.
  if (holds !== undefined) return isTable(holds, truth);
  if (last?.topic === LAST_TOPIC) return false;
  // Under former rights, it may have received an event after the last one that it is allowed now.
  if (truth.order === 'commits') return placeIn(committed, lastId) > placeIn(committed, last?.id);
  // The last event is not known before the run has ended, and for followers that began later not even the number of
  // events.
  return !fromFirst || received >= events.length;
}

/** Cached: the process that proxies all clients looks at it many times a second. */
const cache = new WeakMap<Truth, CommittedEvents>();

function committedIn(truth: Truth): CommittedEvents {
  const known = cache.get(truth) ?? new CommittedEvents(truth.events);
  cache.set(truth, known);
  return known;
}

function placeIn(committed: CommittedEvents, id: string | undefined): number {
  return (id === undefined ? undefined : committed.placeOf(id)) ?? -1;
}

function isTable(holds: { readonly rows: number; readonly versions: number }, { tables }: Truth): boolean {
  return Object.values<readonly TableRow[]>(tables).some(
    (rows) => rows.length === holds.rows && rows.reduce((sum, { version }) => sum + version, 0) === holds.versions,
  );
}
