import type { FollowerReport } from '../clients/settings.js';
import { LAST_TOPIC } from '../names.js';
import { matcher } from './journal-reader.js';
import type { TableRow, Truth } from './truth.js';

/** The names of the followers that have not yet all that was committed. */
export function notAtHead(followers: readonly FollowerReport[], truth: Truth): string[] {
  return followers.filter((follower) => !isAtHead(follower, truth)).map(({ name }) => name);
}

function isAtHead({ lastId, topics, received, fromFirst, holds }: FollowerReport, truth: Truth): boolean {
  const expected = truth.events.filter(matcher(topics));
  const last = expected.at(-1);
  if (lastId === last?.id) return true;
  // A collection may have the last event by its snapshot; then it has the table's versions.
  if (holds !== undefined) return isTable(holds, truth);
  if (truth.order === 'commits' || last?.topic === LAST_TOPIC) return false;
  // Which is the last is not known before the run has ended; of those that began later, not even how many.
  return !fromFirst || received >= expected.length;
}

function isTable(holds: { readonly rows: number; readonly versions: number }, { tables }: Truth): boolean {
  return Object.values<readonly TableRow[]>(tables).some(
    (rows) => rows.length === holds.rows && rows.reduce((sum, { version }) => sum + version, 0) === holds.versions,
  );
}
