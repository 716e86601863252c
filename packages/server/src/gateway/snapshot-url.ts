import { PregonError } from '@pregon/protocol';
import { z } from 'zod';
import type { SnapshotFunction } from '../core/snapshot.js';
import { SNAPSHOT_TIMEOUT_MS } from './snapshot-in-time.js';

const answer = z.object({
  rows: z.array(z.unknown()),
  sequence: z.number().int().nonnegative(),
  source: z.string().optional(),
  relayed: z.number().int().nonnegative().optional(),
});

/** Reads snapshots from an application that answers `{ rows, sequence, source?, relayed? }` as JSON. */
export function snapshotFrom(url: string): SnapshotFunction {
  if (!URL.canParse(url)) throw new TypeError(`snapshot: not a URL: ${url}`);
  return async () => {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(SNAPSHOT_TIMEOUT_MS),
    });
    if (!response.ok) throw new PregonError('SNAPSHOT_UNAVAILABLE', `${url} answered ${response.status}`);
    const { rows, sequence, source, relayed } = answer.parse(await response.json());
    return {
      rows,
      sequence,
      ...(source === undefined ? {} : { source }),
      ...(relayed === undefined ? {} : { relayed }),
    };
  };
}
