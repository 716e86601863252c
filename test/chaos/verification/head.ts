import type { FollowerReport } from '../clients/settings.js';
import { LAST_TOPIC } from '../names.js';
import { matcher } from './journal-reader.js';
import type { TableRow, Truth } from './truth.js';

/** The names of the followers that do not have all committed events yet. */
export function notAtHead(followers: readonly FollowerReport[], truth: Truth): string[] {
  return followers.filter((follower) => !isAtHead(follower, truth)).map(({ name }) => name);
}

function isAtHead({ lastId, topics, received, fromFirst, holds }: FollowerReport, truth: Truth): boolean {
  const { last, count } = expectationOf(topics, truth);
  if (lastId === last?.id) return true;
  // A collection may have the last event from its snapshot; then it has the versions of the table.
  if (holds !== undefined) return isTable(holds, truth);
  if (truth.order === 'commits' || last?.topic === LAST_TOPIC) return false;
  // The last event is not known before the run has ended, and for followers that began later not even the number of
  // events.
  return !fromFirst || received >= count;
}

interface Expectation {
  readonly last: Truth['events'][number] | undefined;
  readonly count: number;
}

const expectations = new WeakMap<Truth, Map<string, Expectation>>();

/** Cached for all followers with the same topics: the process that proxies all clients calls it many times a second. */
function expectationOf(topics: FollowerReport['topics'], truth: Truth): Expectation {
  const known = expectations.get(truth) ?? new Map<string, Expectation>();
  expectations.set(truth, known);
  const key = JSON.stringify(topics);
  const before = known.get(key);
  if (before) return before;
  const events = truth.events.filter(matcher(topics));
  const expectation = { last: events.at(-1), count: events.length };
  known.set(key, expectation);
  return expectation;
}

function isTable(holds: { readonly rows: number; readonly versions: number }, { tables }: Truth): boolean {
  return Object.values<readonly TableRow[]>(tables).some(
    (rows) => rows.length === holds.rows && rows.reduce((sum, { version }) => sum + version, 0) === holds.versions,
  );
}
