import { PregonError } from '@pregon/protocol';
import type { SnapshotFunction } from '../../core/snapshots/snapshot.js';
import { systemClock } from '../../core/time/clock.js';
import { within } from '../../core/time/deadline.js';

/** How long an application may take to give a snapshot: all who ask meanwhile wait for the same answer. */
export const SNAPSHOT_TIMEOUT_MS = 10_000;

/** A snapshot function that fails where the application's does not answer in time. */
export function inTime(read: SnapshotFunction, timeoutMs: number = SNAPSHOT_TIMEOUT_MS): SnapshotFunction {
  const late = () => {
    throw new PregonError('SNAPSHOT_UNAVAILABLE', `the application did not answer within ${timeoutMs} ms`);
  };
  return () => within(timeoutMs, Promise.resolve().then(read), late, systemClock);
}
