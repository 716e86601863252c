import { expect, it } from 'vitest';
import { inTime } from '../../src/gateway/snapshots/snapshot-in-time.js';

it('[I-8] a snapshot that never comes is unavailable after a deadline, so that waiting clients can ask again', async () => {
  const never = inTime(() => new Promise(() => {}), 20);
  await expect(never()).rejects.toMatchObject({ code: 'SNAPSHOT_UNAVAILABLE', retryable: true });
});

it('a snapshot or an error that comes in time is passed on', async () => {
  expect(await inTime(() => ({ rows: [1], sequence: 1 }))()).toEqual({ rows: [1], sequence: 1 });
  const failing = inTime(() => {
    throw new Error('no such table');
  });
  await expect(failing()).rejects.toThrow('no such table');
});
