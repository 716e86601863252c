import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { afterTest } from '../../../../test/support/cleanup.js';
import { eventually } from '../../../../test/support/waiting.js';
import { EarlyRequests } from '../../src/gateway/entrances/early-requests.js';
import { claimPath } from '../../src/transports/http/claim.js';

it('[I-7] [fault A2] a request that waits for a gateway to start is released when its client leaves', async () => {
  const server = createServer();
  const early = new EarlyRequests(server, [claimPath('/events')], () => true, 2);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => server.close());
  let sockets = 0;
  server.on('connection', (socket) => {
    sockets += 1;
    socket.once('close', () => (sockets -= 1));
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('the server does not listen');
  const ask = async (): Promise<Socket> => {
    const socket = connect(address.port, '127.0.0.1');
    afterTest(() => socket.destroy());
    await once(socket, 'connect');
    socket.write('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
    return socket;
  };
  const gone = [await ask(), await ask()];
  const [closed] = await once(await ask(), 'close');
  expect(closed).toBe(false);
  for (const socket of gone) socket.destroy();
  await eventually(
    () => sockets,
    (count) => count === 0,
  );
  const patient = await ask();
  server.on('request', (_, response) => response.end('here'));
  const answered = once(patient, 'data');
  await eventually(
    () => sockets,
    (count) => count === 1,
  );
  const proceed = early.release();
  proceed();
  expect(String((await answered)[0])).toContain('here');
});
