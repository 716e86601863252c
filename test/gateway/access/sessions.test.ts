import type { GatewayOptions } from 'pregon';
import { describe, expect, it } from 'vitest';
import { Application } from '../../support/access/application.js';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { parseOpen } from '../../support/socketio/engine-client.js';

interface Started extends TestGateway {
  readonly application: Application;
}

async function start(options: Partial<GatewayOptions> = {}): Promise<Started> {
  const application = await Application.start();
  const gateway = await startGateway({
    auth: { hook: application.url },
    routes: { news: { path: '/news', allow: [{ subscribe: '#', who: 'anyone' }] } },
    ...options,
  });
  return { ...gateway, application };
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
