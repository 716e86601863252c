import { expect, it } from 'vitest';
import { inTime } from '../../src/gateway/snapshots/snapshot-in-time.js';

const REQUEST = { topics: ['#'], identity: undefined };

it('[I-8] a snapshot that never comes is unavailable after a deadline, so that waiting clients can ask again', async () => {
  const never = inTime(() => new Promise(() => {}), 20);
  await expect(never(REQUEST)).rejects.toMatchObject({ code: 'SNAPSHOT_UNAVAILABLE', retryable: true });
});

it('a snapshot or an error that comes in time is passed on', async () => {
  expect(await inTime(() => ({ rows: [1], sequence: 1 }))(REQUEST)).toEqual({ rows: [1], sequence: 1 });
  const failing = inTime(() => {
    throw new Error('no such table');
  });
  await expect(failing(REQUEST)).rejects.toThrow('no such table');
});
