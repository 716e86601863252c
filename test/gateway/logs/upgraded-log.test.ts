import { expect, it } from 'vitest';
import { startGateway } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { copyFormat1 } from '../../support/log/old-formats.js';

it('[I-2] [I-4] on an upgraded log, a client of the former release is reset once, and then resumes by its new positions', async () => {
  const { path, positions, events } = copyFormat1();
  const { ws, append } = await startGateway({ logFile: path });
  const former = new PlainClient(ws(`/events?since=${positions[4]}`));
  expect(await former.whenClosed()).toMatchObject({ code: 4502, reason: expect.stringMatching(/^replaced/) });
  const client = await PlainClient.open(ws('/events?since=first'));
  const retained = events.slice(2);
  expect((await client.events.count(6)).map(({ id }) => id)).toEqual(retained.map(({ id }) => id));
  const since = client.events.all[2]?.position;
  await append(1, { from: 9 });
  const resumed = await PlainClient.open(ws(`/events?since=${since}`));
  expect(await resumed.numbers(4)).toEqual([6, 7, 8, 9]);
});
