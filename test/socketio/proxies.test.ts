import { expect, it } from 'vitest';
import { numbers, startGateway, type TestGateway } from '../support/gateway/gateway.js';
import { RawSocket } from '../support/gateway/raw-socket.js';
import { SocketIoClient } from '../support/gateway/socketio-client.js';
import { describeWithNginx, Nginx } from '../support/nginx.js';

/** Old proxies, and nginx by default, do not forward Upgrade and Connection. */
const STRIPS_UPGRADE = `proxy_http_version 1.1;
      proxy_set_header Upgrade "";
      proxy_set_header Connection "";`;

const PASSES_UPGRADE = `proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";`;

async function start(location: string): Promise<TestGateway & { proxy: Nginx }> {
  const started = await startGateway({ access: 'public' });
  started.gateway.io.of('/events').on('connection', (socket) => {
    socket.on('double', (n, answer) => typeof answer === 'function' && answer(Number(n) * 2));
  });
  return { ...started, proxy: await Nginx.start(started.port, location) };
}

/** Connects the stock client with its defaults: it polls, and tries to upgrade. */
async function connect(proxy: Nginx): Promise<SocketIoClient> {
  const client = await SocketIoClient.open(proxy.http('/events'), { auth: { names: 'event' } });
  await client.count('subscribed', 1);
  return client;
}

describeWithNginx('[001-11] A stock client behind nginx that strips Upgrade', () => {
  it('cannot open a WebSocket, which the other tests rely on', async () => {
    const { proxy } = await start(STRIPS_UPGRADE);
    const raw = await RawSocket.open(proxy.port);
    expect(await raw.upgrade('/socket.io/?EIO=4&transport=websocket')).not.toContain(' 101 ');
  });

  it('[I-1][I-2][I-3] gets all events once and in order by polling, and sends and answers messages', async () => {
    const { proxy, gateway, append } = await start(STRIPS_UPGRADE);
    const client = await connect(proxy);
    for (let round = 0; round < 10; round++) {
      await append(50, { padding: round % 2 === 0 ? 0 : 3_000 });
      gateway.io.of('/events').emit('message', round, Buffer.from([round]));
      expect(await client.ask('double', round)).toBe(2 * round);
    }
    await client.count('event', 500);
    await client.count('message', 10);
    expect(client.numbers()).toEqual(numbers(1, 500));
    expect(client.of('message').map(([round]) => round)).toEqual(numbers(0, 9));
    expect(client.socket.io.engine.transport.name).toBe('polling');
    expect(client.recovered).toEqual([false]);
  });

  it('[001-10][G-1] resumes when nginx was killed and is back', async () => {
    const { proxy, append } = await start(STRIPS_UPGRADE);
    const client = await connect(proxy);
    await append(50);
    await client.count('event', 50);
    await proxy.kill();
    await append(50);
    await proxy.start();
    await client.connected(2);
    await append(50);
    await client.count('event', 150);
    expect(client.numbers()).toEqual(numbers(1, 150));
    expect(client.recovered).toEqual([false, true]);
  });

  it('[001-10][G-1] resumes when the gateway was replaced', async () => {
    const { proxy, append, gateway, port, logFile } = await start(STRIPS_UPGRADE);
    const client = await connect(proxy);
    await append(50);
    await client.count('event', 50);
    await gateway.close({ spreadMs: 0 });
    await append(50);
    await startGateway({ logFile, listen: { port }, access: 'public' });
    await client.connected(2);
    await append(50);
    await client.count('event', 150);
    expect(client.numbers()).toEqual(numbers(1, 150));
    expect(client.recovered).toEqual([false, true]);
  });
});

describeWithNginx('[001-11] A stock client behind nginx that passes Upgrade', () => {
  it('upgrades to WebSocket', async () => {
    const { proxy, append } = await start(PASSES_UPGRADE);
    const client = await connect(proxy);
    const { engine } = client.socket.io;
    if (engine.transport.name !== 'websocket') await new Promise((resolve) => engine.once('upgrade', resolve));
    await append(500, { padding: 1_000 });
    await client.count('event', 500);
    expect(client.numbers()).toEqual(numbers(1, 500));
    expect(engine.transport.name).toBe('websocket');
  });
});
