import { decodePosition, type LogPoint, type ResetReason, type Since } from '@pregon/protocol';
import type { HistoryWindow } from './history-window.js';
import type { Log } from './log.js';

/** Where a subscription may start, or why it may not start where it asked to. */
export type Start = { readonly point: LogPoint } | { readonly reset: ResetReason };

/**
 * Whether the log still holds the very event that a position names (invariant 4): asked of the history window first, then of the
 * log.
 *
 * @throws PregonError LOG_UNAVAILABLE
 */
export async function resumeAt(point: LogPoint, history: HistoryWindow, edge: LogPoint, log: Log): Promise<Start> {
  if (samePoint(point, edge) || samePoint(point, history.floor)) return { point };
  const held = history.at(point.offset);
  if (held) return held.entry.fingerprint === point.fingerprint ? { point } : { reset: 'replaced' };
  const presence = await log.check(point);
  return presence === 'present' ? provenBy(edge, point, log) : { reset: presence };
}

/** The first retained event is the next. @throws PregonError LOG_UNAVAILABLE */
export async function startAtFirst(edge: LogPoint, log: Log): Promise<Start> {
  return provenBy(edge, await log.floor(), log);
}

/** A log that was replaced answers for itself before the hub is told; its points mean nothing in the old log's window. */
async function provenBy(edge: LogPoint, point: LogPoint, log: Log): Promise<Start> {
  return (await log.check(edge)) === 'replaced' ? { reset: 'replaced' } : { point };
}

/** @throws PregonError POSITION_INVALID */
export function parseSince(since: Since): LogPoint | 'first' {
  return since === 'first' ? 'first' : decodePosition(since);
}

function samePoint(a: LogPoint, b: LogPoint): boolean {
  return a.offset === b.offset && a.fingerprint === b.fingerprint;
}
