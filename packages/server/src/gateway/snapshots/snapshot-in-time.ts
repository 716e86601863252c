import { PregonError } from '@pregon/protocol';
import type { Snapshot, SnapshotFunction } from '../../core/snapshots/snapshot.js';
import { systemClock } from '../../core/time/clock.js';

/** How long an application may take to give a snapshot: all who ask meanwhile wait for the same answer. */
export const SNAPSHOT_TIMEOUT_MS = 10_000;

/** A snapshot function that fails where the application's does not answer in time. */
export function inTime(read: SnapshotFunction, timeoutMs: number = SNAPSHOT_TIMEOUT_MS): SnapshotFunction {
  return () =>
    new Promise<Snapshot>((resolve, reject) => {
      const cancel = systemClock.after(timeoutMs, () => {
        reject(new PregonError('SNAPSHOT_UNAVAILABLE', `the application did not answer within ${timeoutMs} ms`));
      });
      Promise.resolve().then(read).then(resolve, reject).finally(cancel);
    });
}
