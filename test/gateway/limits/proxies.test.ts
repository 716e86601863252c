import type { Connection, GatewayOptions, Observer } from 'pregon';
import { describe, expect, it } from 'vitest';
import { RecordingComponent } from '../../support/gateway/applications/recording-component.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { Inbox } from '../../support/gateway/inbox.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { SocketIoClient, WAYS } from '../../support/gateway/socketio-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

const CLIENT = '203.0.113.7';
const HEADERS = { 'X-Forwarded-For': `6.6.6.6, ${CLIENT}` };

type Open = (gateway: TestGateway, headers: Record<string, string>) => Promise<unknown>;

const TRANSPORTS: Readonly<Record<string, Open>> = {
  'plain WebSocket': ({ ws }, headers) => PlainClient.open(ws('/events'), { headers }),
  'pregon.v1': ({ ws }, headers) => FramesClient.open(ws('/events'), { headers }),
  'an event stream': ({ http }, headers) => StreamClient.open(http('/events'), headers),
  ...Object.fromEntries(
    WAYS.map(([name, transports]) => [
      `Socket.IO by ${name}`,
      ({ http }: TestGateway, extraHeaders: Record<string, string>) =>
        SocketIoClient.open(http('/events'), { transports: [...transports], extraHeaders }),
    ]),
  ),
};

/** A gateway, and the connections that it opened. */
async function start(options: Partial<GatewayOptions>) {
  const opened = new Inbox<Connection>();
  const observer: Observer = { opened: (connection) => opened.push(connection) };
  return { ...(await startGateway({ access: 'public', observers: [observer], ...options })), opened };
}

describe.each(Object.keys(TRANSPORTS))('A client of %s', (name) => {
  const open: Open = (gateway, headers) => TRANSPORTS[name]?.(gateway, headers) ?? expect.unreachable();

  it('[H-08] has the address that a trusted proxy reports', async () => {
    const gateway = await start({ trustedProxies: ['127.0.0.0/8'] });
    await open(gateway, HEADERS);
    const [connection] = await gateway.opened.count(1);
    expect(connection?.remoteAddress).toBe(CLIENT);
    expect(connection?.request.remoteAddress).toBe(CLIENT);
  });

  it('[H-08] has the address of its socket if no proxy is trusted', async () => {
    const gateway = await start({ trustedProxies: ['198.51.100.0/24'] });
    await open(gateway, HEADERS);
    const [connection] = await gateway.opened.count(1);
    expect(connection?.remoteAddress).toBe('127.0.0.1');
  });
});

describe('Behind a trusted proxy', () => {
  it('[H-08] an admission and a component see the address of the client, and blocked addresses are clients', async () => {
    const seen: string[] = [];
    const component = new RecordingComponent();
    const gateway = await start({
      trustedProxies: ['127.0.0.1'],
      proxyHeader: 'forwarded',
      admissions: [{ name: 'seen', admit: ({ remoteAddress }) => void seen.push(remoteAddress) }],
    });
    gateway.gateway.mount('/chat', component, { blockedAddresses: ['198.51.100.0/24'] });
    const headers = { Forwarded: `for=${CLIENT};proto=https`, 'X-Forwarded-For': '198.51.100.1' };
    await PlainClient.open(gateway.ws('/chat'), { headers });
    const [call] = await component.called('onOpen');
    expect(call?.connection.remoteAddress).toBe(CLIENT);
    expect(seen).toEqual([CLIENT]);

    const blocked = await refusal(gateway.ws('/chat'), { headers: { Forwarded: 'for=198.51.100.1' } });
    expect(blocked.statusCode).toBe(403);
  });

  it('[H-08] Socket.IO has the address of the client in the handshake', async () => {
    const gateway = await start({ trustedProxies: ['127.0.0.1'] });
    const addresses = new Inbox<string>();
    gateway.gateway.io.of('/chat').on('connection', (socket) => addresses.push(socket.handshake.address));
    await SocketIoClient.open(gateway.http('/chat'), { extraHeaders: HEADERS });
    expect(await addresses.count(1)).toEqual([CLIENT]);
  });

  it('[H-08] a list of proxies with a mistake ends the start', async () => {
    await expect(startGateway({ trustedProxies: ['proxy.internal'] })).rejects.toThrow(
      'trustedProxies: "proxy.internal" is neither an address nor a subnet',
    );
  });
});
