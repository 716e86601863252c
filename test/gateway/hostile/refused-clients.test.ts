import { describe, expect, it } from 'vitest';
import { ISSUER, SECRET } from '../../support/access/tokens.js';
import { temporaryFolder } from '../../support/cleanup.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { clientFrame, OPCODE, RawSocket } from '../../support/gateway/raw-socket.js';

const MOST_TURN_MS = 20;

function start(): Promise<GatewayProcess> {
  return GatewayProcess.start({
    log: `sqlite:${temporaryFolder()}/log.db`,
    auth: { issuers: [{ issuer: ISSUER, secret: SECRET }] },
    routes: { events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#' }] } },
  });
}

/** A client without a token whose handshake is completed, because it seems to be a page, and which is told 4505. */
async function refusedClient(port: number): Promise<RawSocket> {
  const socket = await RawSocket.open(port);
  await socket.upgrade('/events', { Host: 'localhost', Origin: 'http://localhost' });
  expect(await socket.closeFrame()).toMatchObject({ code: 4505 });
  return socket;
}

describe('[I-7] [I-9] [H-08] A client that was refused by a close code', () => {
  it('is cut off if it does not answer the close frame', async () => {
    const gateway = await start();
    const socket = await refusedClient(gateway.port);
    await socket.whenEnded();
    expect(await gateway.connections()).toBe(0);
  });

  it.each([
    ['pings', OPCODE.ping],
    ['messages', OPCODE.binary],
  ])('delays nobody with a flood of %s', async (_, opcode) => {
    const gateway = await start();
    // The first clients compile the code.
    for (let n = 0; n < 3; n++) (await refusedClient(gateway.port)).socket.destroy();
    await gateway.longestTurnMs();
    const flood = Buffer.concat(Array.from({ length: 20_000 }, () => clientFrame(opcode, '')));
    const sockets = await Promise.all(Array.from({ length: 20 }, () => refusedClient(gateway.port)));
    for (const { socket } of sockets) for (let n = 0; n < 10; n++) socket.write(flood);
    await Promise.all(sockets.map((socket) => socket.whenEnded(10_000)));
    expect(await gateway.longestTurnMs()).toBeLessThan(MOST_TURN_MS);
  });
});
