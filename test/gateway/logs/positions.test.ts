import { encodePosition, fingerprint } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway } from '../../support/gateway/gateway.js';

describe('A position that is encrypted under a key', () => {
  it('[fault B4] reveals nothing: every guess of an event gets the same answer, right or wrong', async () => {
    const gateway = await startGateway();
    const [event] = await gateway.append(1);
    const client = await FramesClient.open(gateway.ws('/events'));
    const guesses = [JSON.stringify(event), JSON.stringify({ ...event, data: { n: 2 } })];
    for (const [id, guess] of guesses.entries()) {
      const since = encodePosition({ offset: 1, fingerprint: fingerprint(Buffer.from(guess)) });
      const answer = await client.subscribe({ id, since });
      expect(resetOf(client, id)).toMatchObject({ reason: 'replaced' });
      expect(answer).toMatchObject({ op: 'subscribed', recovered: false });
    }
  });

  it('[I-4] is answered with reset, not refused, if it was made under another secret', async () => {
    const one = await startGateway({ secret: 'a secret that all gateways shared yesterday' });
    await one.append(2);
    const before = await FramesClient.open(one.ws('/events'));
    const held = await before.subscribe({ id: 1 });
    const position = held.op === 'subscribed' ? held.position : '';
    const other = await startGateway({ logFile: one.logFile, secret: 'a secret that all gateways share today' });
    const after = await FramesClient.open(other.ws('/events'));
    await after.subscribe({ id: 1, since: position });
    expect(resetOf(after, 1)).toMatchObject({ id: 1, reason: 'replaced' });
  });

  it('[I-4] is the same on all gateways of a log, and each of them serves it', async () => {
    const one = await startGateway();
    const other = await startGateway({ logFile: one.logFile });
    await one.append(3);
    const first = await FramesClient.open(one.ws('/events'));
    const second = await FramesClient.open(other.ws('/events'));
    await first.subscribe({ id: 1, since: 'first' });
    await second.subscribe({ id: 1, since: 'first' });
    await first.numbers(1, 3);
    await second.numbers(1, 3);
    const positions = first.events(1).map(({ position }) => position);
    expect(second.events(1).map(({ position }) => position)).toEqual(positions);
    const answer = await second.subscribe({ id: 2, since: positions[1] ?? '' });
    expect(answer).toMatchObject({ op: 'subscribed', recovered: true });
  });
});

function resetOf(client: FramesClient, id: number): unknown {
  return client.frames.all.find((frame) => 'op' in frame && frame.op === 'reset' && frame.id === id);
}
