import type { FollowerReport } from '../clients/settings.js';
import { matcher } from './journal-reader.js';
import type { TableRow, Truth } from './truth.js';

/** The names of the followers that have not yet all that was committed. */
export function notAtHead(followers: readonly FollowerReport[], truth: Truth): string[] {
  return followers.filter((follower) => !isAtHead(follower, truth)).map(({ name }) => name);
}

function isAtHead({ lastId, topics, holds }: FollowerReport, { events, tables }: Truth): boolean {
  const last = events.findLast(matcher(topics))?.id;
  if (lastId === last) return true;
  // A collection may have the last event by its snapshot; then it has the table's versions.
  if (holds === undefined || last === undefined) return false;
  return Object.values<readonly TableRow[]>(tables).some(
    (rows) => rows.length === holds.rows && rows.reduce((sum, { version }) => sum + version, 0) === holds.versions,
  );
}
