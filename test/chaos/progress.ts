import type { ClientsReport } from './clients/settings.js';
import type { Fault } from './faults/fault.js';
import type { ApplicationState } from './stage/stage.js';

/** The progress of a run in one line. */
export function progressLine(
  elapsedMs: number,
  faults: readonly Fault[],
  { committed, pending }: ApplicationState,
  { followers, gone }: ClientsReport,
): string {
  const received = followers.map((follower) => follower.received);
  const sum = (count: (follower: (typeof followers)[number]) => number) =>
    followers.reduce((total, follower) => total + count(follower), 0);
  const last = faults.at(-1);
  return [
    `${Math.round(elapsedMs / 1_000)} s`.padStart(6),
    `${faults.length} faults`.padStart(11),
    `${committed} transactions`.padStart(19),
    `${pending} pending`.padStart(13),
    `most received ${Math.max(0, ...received)}`,
    `${sum(({ reconnects }) => reconnects) + gone.reconnects} reconnects`,
    last === undefined ? '' : `last: ${last.kind} ${last.target}`,
  ].join('  ');
}
