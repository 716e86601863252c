import { PregonError } from '@pregon/protocol';
import type { SnapshotFunction } from '../../core/snapshots/snapshot.js';
import { systemClock } from '../../core/time/clock.js';
import { within } from '../../core/time/deadline.js';

/**
 * The most milliseconds that an application may take for a snapshot: all clients that ask meanwhile wait for the same
 * result.
 */
export const SNAPSHOT_TIMEOUT_MS = 10_000;

/** A snapshot function that fails if the application does not answer before the deadline. */
export function inTime(read: SnapshotFunction, timeoutMs: number = SNAPSHOT_TIMEOUT_MS): SnapshotFunction {
  const late = () => {
    throw new PregonError('SNAPSHOT_UNAVAILABLE', `the application did not answer within ${timeoutMs} ms`);
  };
  return () => within(timeoutMs, Promise.resolve().then(read), late, systemClock);
}
