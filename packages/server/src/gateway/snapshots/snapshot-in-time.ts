import { PregonError } from '@pregon/protocol';
import type { SnapshotSource } from '../../core/snapshots/snapshot.js';
import { systemClock } from '../../core/time/clock.js';
import { within } from '../../core/time/deadline.js';

/**
 * The most milliseconds that an application may take for a snapshot: all clients that ask meanwhile wait for the same
 * result.
 */
export const SNAPSHOT_TIMEOUT_MS = 10_000;

/** A snapshot source that fails if the application does not answer before the deadline. */
export function inTime(read: SnapshotSource, timeoutMs: number = SNAPSHOT_TIMEOUT_MS): SnapshotSource {
  const late = () => {
    throw new PregonError('SNAPSHOT_UNAVAILABLE', `the application did not answer within ${timeoutMs} ms`);
  };
  return (request) => within(timeoutMs, Promise.resolve(request).then(read), late, systemClock);
}
