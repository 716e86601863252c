import type { GatewayOptions, Refused } from 'pregon';
import { describe, expect, it } from 'vitest';
import { ADDRESSED_CLIENTS, connectAs } from '../../support/access/addressed-clients.js';
import { Application } from '../../support/access/application.js';
import { ISSUER, SECRET } from '../../support/access/tokens.js';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { EngineSocket, PollingClient, parseOpen } from '../../support/socketio/engine-client.js';

interface Started extends TestGateway {
  readonly application: Application;
  readonly refused: Refused[];
}

async function start(options: Partial<GatewayOptions> = {}): Promise<Started> {
  const application = await Application.start();
  const refused: Refused[] = [];
  const gateway = await startGateway({
    auth: { hook: application.url },
    routes: { news: { path: '/news', allow: [{ subscribe: '#', who: 'anyone' }] } },
    observers: [{ refused: (told) => refused.push(told) }],
    ...options,
  });
  return { ...gateway, application, refused };
}

const ENGINE = '/socket.io/?EIO=4&transport=polling';

const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n';

/** Opens a session of Socket.IO, with the identity of ada. */
async function sessionOf({ http }: TestGateway): Promise<string> {
  const answer = await fetch(http(ENGINE), { headers: { Cookie: 'session=ada' } });
  return parseOpen(await answer.text()).sid;
}

describe('[I-9] [H-04] The session of a request', () => {
  it.each([
    ['a poll that begins a session', ENGINE, ''],
    ['an upgrade of Socket.IO', '/socket.io/?EIO=4&transport=websocket', UPGRADE],
    ['an event stream', '/news', 'Accept: text/event-stream\r\n'],
    ['a WebSocket', '/news', UPGRADE],
  ])('is not behind #: %s is refused', async (_, target, headers) => {
    const gateway = await start();
    const sid = await sessionOf(gateway);
    const asked = gateway.application.requests.length;
    const raw = await RawSocket.open(gateway.port);
    raw.write(`GET ${target}#&sid=${sid} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
    await raw.whenEnded();
    expect(raw.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(gateway.application.requests).toHaveLength(asked);
  });

  it.each<[name: string, query: (sid: string) => string]>([
    ['is encoded', (sid) => `s%69d=${sid}`],
    ['comes last', (sid) => `sid=other&sid=${sid}`],
  ])('is the one that Engine.IO reads, also if its name %s', async (_, query) => {
    const gateway = await start();
    const sid = await sessionOf(gateway);
    const answer = await fetch(gateway.http(`${ENGINE}&${query(sid)}`), { method: 'POST', body: '40/news,' });
    expect([answer.status, await answer.text()]).toEqual([200, 'ok']);
    // The session was decided about when it began.
    expect(gateway.application.requests).toHaveLength(1);
  });
});

const ADDRESS = '203.0.113.7';
const OTHER = '203.0.113.8';

describe('[I-7] [H-08] Clients that ask for admission', () => {
  it.each(Object.keys(ADDRESSED_CLIENTS))(
    'of one address, by %s: only those that have a place are asked about',
    async (transport) => {
      const gateway = await start({ trustedProxies: ['127.0.0.1'], maxPendingPerAddress: 3 });
      const { application } = gateway;
      const held: (() => void)[] = [];
      application.answer = (_request, response) => void held.push(() => response.writeHead(204).end());
      const connect = (address: string) => connectAs(transport, gateway, { address, path: '/news' });
      const attempts = Array.from({ length: 20 }, () => connect(ADDRESS));
      let refused = 0;
      for (const attempt of attempts) void attempt.then(({ outcome }) => (refused += outcome === 'open' ? 0 : 1));
      await expect.poll(() => refused).toBe(17);
      await expect.poll(() => held.length).toBe(3);

      const other = connect(OTHER);
      await expect.poll(() => held.length).toBe(4);
      application.answers(204);
      for (const answer of held) answer();
      expect(await other).toMatchObject({ outcome: 'open' });
      const outcomes = (await Promise.all(attempts)).map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(3);
    },
  );

  it('are asked about by verify, and by admissions of the application, only if they have a place', async () => {
    for (const kind of ['verify', 'admissions']) {
      let asked = 0;
      const ask = () => {
        asked += 1;
        return new Promise<undefined>(() => {});
      };
      const gateway = await startGateway({
        ...(kind === 'verify'
          ? { auth: { verify: ask } }
          : { access: 'public', admissions: [{ name: 'own', admit: ask }] }),
        trustedProxies: ['127.0.0.1'],
        maxPendingPerAddress: 3,
        routes: { news: { path: '/news', access: 'public' } },
      });
      const connect = () => connectAs('plain WebSocket', gateway, { address: ADDRESS, path: '/news' });
      const outcomes: unknown[] = [];
      for (let n = 0; n < 20; n++) void connect().then(({ outcome }) => outcomes.push(outcome));
      await expect.poll(() => outcomes).toHaveLength(17);
      expect([kind, asked, new Set(outcomes)]).toEqual([kind, 3, new Set([429])]);
    }
  });
});

describe('[I-9] [H-04] A session of Socket.IO', () => {
  it('is limited in the tokens that it shows', async () => {
    const { application, http } = await start();
    application.answer = ({ headers }, response) =>
      response.writeHead(headers.authorization === undefined ? 204 : 403).end();
    const client = await PollingClient.open(http(''));
    await client.say(...Array.from({ length: 30 }, (_, n) => `40/news,{"token":"abc${n}"}`));
    const packets = await client.untilPackets(30);
    const codes = packets.map((packet) => /"code":"(\w+)"/.exec(packet)?.[1]);
    expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(20);
    expect(codes.filter((code) => code === 'FORBIDDEN')).toHaveLength(10);
    expect(packets.find((packet) => packet.includes('RATE_LIMITED'))).toMatch(/"retryable":true,"retryAfterMs":\d+/);
    // Once when the session began, and once for each token.
    expect(application.requests).toHaveLength(11);
  });

  it('[I-7] ends if it enters no namespace within 5 seconds', async () => {
    const { ws } = await start();
    const { socket } = await EngineSocket.open(ws(''));
    await expect.poll(() => socket.readyState, { timeout: 20_000 }).toBe(socket.CLOSED);
  });

  it('[I-7] may send 16 KB until it has entered a namespace, and then as much as others', async () => {
    const { ws, http } = await start();
    const large = `42/news,${JSON.stringify(['ask', 'x'.repeat(100_000)])}`;
    const socket = await EngineSocket.open(ws(''));
    socket.send(large);
    expect(await socket.whenClosed()).toBe(1009);
    const polling = await PollingClient.open(http(''));
    expect((await polling.push(large)).status).toBe(413);
    const upgrading = await PollingClient.open(http(''));
    const upgrade = await EngineSocket.open(ws(''), upgrading.opened.sid);
    upgrade.send(large);
    expect(await upgrade.whenClosed()).toBe(1009);

    const inside = await EngineSocket.enter(ws(''), '/news');
    inside.send(large, '42/news,1["subscribe",{"topics":"a"}]');
    await expect.poll(() => inside.packets.all.some((packet) => `${packet}`.startsWith('43/news,1'))).toBe(true);
    const polled = await PollingClient.open(http(''));
    await polled.say('40/news,');
    await polled.untilPackets(1);
    await polled.say(large);
  });

  it('[I-7] is one of at most 20 of its address until it has entered a namespace', async () => {
    const auth = { issuers: [{ issuer: ISSUER, secret: SECRET }] };
    const { ws, http, refused } = await start({ auth, exemptAddresses: [], maxPendingPerAddress: 2 });
    const first = await EngineSocket.open(ws(''));
    const second = await EngineSocket.open(ws(''));
    await Promise.all([first.text(), second.text()]);
    expect((await fetch(http(ENGINE))).status).toBe(429);
    expect(refused).toMatchObject([{ reason: 'address pending' }]);

    first.send('40/news,');
    expect(await first.text()).toMatch(/^40\/news,/);
    const third = await EngineSocket.enter(ws(''), '/news');
    expect(String((await third.packets.count(2))[1])).toMatch(/^40\/news,/);
    const fourth = await EngineSocket.open(ws(''));
    await fourth.text();
    expect((await fetch(http(ENGINE))).status).toBe(429);
  });
});
