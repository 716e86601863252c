import { describe, expect, it } from 'vitest';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway } from '../../support/gateway/gateway.js';

describe('[fault A8] Requests of one connection', () => {
  it('are refused beyond its rate, and granted after the time that the refusal names', async () => {
    const { ws } = await startGateway({ maxSubscribesPerSecond: 20, subscribeBurst: 2 });
    const client = await FramesClient.open(ws('/events'));
    for (const id of [1, 2, 3]) expect(await client.subscribe({ id })).toMatchObject({ op: 'subscribed', id });
    for (let id = 4; id < 20; id++) client.send({ op: 'subscribe', id });
    const answers = () => client.controls('subscribed').length + client.controls('error').length;
    await client.frames.until(() => answers() === 3 + 16, 'all answers');
    const refusal = client.controls('error').at(-1);
    if (refusal?.retryAfterMs === undefined) throw new Error('no request was refused');
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(refusal.retryAfterMs).toBeGreaterThan(0);
    expect(refusal.retryAfterMs).toBeLessThanOrEqual(50);
    await new Promise((resolve) => setTimeout(resolve, refusal.retryAfterMs));
    expect(await client.subscribe({ id: 50 })).toMatchObject({ op: 'subscribed', id: 50 });
  });

  it('have a separate rate if they read the log or a snapshot', async () => {
    const snapshot = () => ({ rows: [], sequence: 0, source: '/test' });
    const { ws } = await startGateway({
      routes: { events: { path: '/events', snapshot } },
      maxReplaysPerMinute: 1,
      replayBurst: 1,
      maxSnapshotsPerMinute: 1,
      snapshotBurst: 1,
    });
    const client = await FramesClient.open(ws('/events'));
    await client.subscribe({ id: 0 });
    const since = 'first';
    expect(await client.subscribe({ id: 1, since })).toMatchObject({ op: 'subscribed' });
    expect(await client.subscribe({ id: 2, since })).toMatchObject({ op: 'error', code: 'RATE_LIMITED' });
    expect(await client.subscribe({ id: 3, snapshot: true })).toMatchObject({ op: 'subscribed' });
    expect(await client.subscribe({ id: 4, snapshot: true })).toMatchObject({ op: 'error', code: 'RATE_LIMITED' });
    expect(await client.subscribe({ id: 5 })).toMatchObject({ op: 'subscribed' });
  });

  it('close the connection with 4006 if it never heeds the refusals', async () => {
    const { ws } = await startGateway({ maxFramesPerSecond: 0, maxSubscribesPerSecond: 1, subscribeBurst: 1 });
    const client = await FramesClient.open(ws('/events'));
    for (let n = 0; n < 8_000; n++) client.send({ op: 'subscribe', id: n });
    expect((await client.closed).code).toBe(4006);
  });
});

describe('[fault A7] Unreadable frames', () => {
  it('close the connection with 1008 after a limit; unknown ops do not', async () => {
    const { ws } = await startGateway();
    const client = await FramesClient.open(ws('/events'));
    for (let n = 0; n < 50; n++) client.sendText('{"op":"of a later version"}');
    await client.frames.until(() => client.controls('error').length === 50, '50 errors');
    for (let n = 0; n < 50; n++) client.sendText('{');
    expect((await client.closed).code).toBe(1008);
    expect(client.controls('error').length).toBeLessThanOrEqual(50 + 22);
  });
});
