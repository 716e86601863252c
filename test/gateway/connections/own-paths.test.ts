import type { Transport } from 'pregon';
import { socketIo, sse, websocket } from 'pregon';
import { describe, expect, it } from 'vitest';
import { startGateway } from '../../support/gateway/gateway.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';

/** Answers each request below `/own` with its path. */
function own(path = '/own'): Transport {
  return {
    name: `own at ${path}`,
    offer: 'ask for /own',
    entrance: () => ({
      ownPath: { path },
      takes: ({ url }) => url !== '/own/unknown',
      request(request, response) {
        if (request.url === '/own/throws') throw new Error('a mistake');
        response.end(request.url);
      },
      destroy() {},
    }),
  };
}

describe('a transport with a path of its own', () => {
  it('answers requests below it, and routes are served beside it', async () => {
    const { http, ws, append } = await startGateway({ transports: [own(), websocket(), sse()] });
    for (const path of ['/own', '/own/', '/own/a/b?c=d']) expect(await (await fetch(http(path))).text()).toBe(path);
    expect((await fetch(http('/owner'))).status).toBe(404);
    const client = await PlainClient.open(ws('/events'));
    await append(1);
    await client.events.count(1);
  });

  it('refuses what it does not take, and upgrades that it does not answer, with 404', async () => {
    const { http, ws } = await startGateway({ transports: [own()] });
    expect((await fetch(http('/own/unknown'))).status).toBe(404);
    expect((await refusal(ws('/own'))).statusCode).toBe(404);
  });

  it('[I-8] costs a client its connection if it throws, and nobody else anything', async () => {
    const { http } = await startGateway({ transports: [own()] });
    await expect(fetch(http('/own/throws'))).rejects.toThrow();
    expect((await fetch(http('/own/next'))).status).toBe(200);
  });

  it.each(['/events', '/socket.io'])('cannot have the path %s, which is taken', async (path) => {
    await expect(startGateway({ transports: [own(path), socketIo()] })).rejects.toThrow(/cannot be mounted/);
  });
});

describe('Socket.IO among the transports', () => {
  it('is served by default, and with socketIo() in the list', async () => {
    for (const options of [{}, { transports: [socketIo()] }, { transports: [websocket()], socketIo: {} }]) {
      const { http, gateway } = await startGateway(options);
      const client = await SocketIoClient.open(http('/events'));
      expect(client.socket.connected).toBe(true);
      expect(gateway.io).toBeDefined();
    }
  });

  it('is not served if the list lacks it', async () => {
    const { http, gateway } = await startGateway({ transports: [websocket()] });
    expect((await fetch(http('/socket.io/?EIO=4&transport=polling'))).status).toBe(404);
    expect(() => gateway.io).toThrow(/socketIo\(\)/);
  });

  it('takes its options from socketIo()', async () => {
    const { http } = await startGateway({ transports: [socketIo({ path: '/live', pingInterval: 12_345 })] });
    const response = await fetch(http('/live/?EIO=4&transport=polling'));
    expect(await response.text()).toContain('12345');
  });

  it('is configured once', async () => {
    await expect(startGateway({ transports: [socketIo()], socketIo: {} })).rejects.toThrow(/twice/);
    await expect(startGateway({ transports: [websocket(), websocket()] })).rejects.toThrow('websocket is listed twice');
    expect(() => socketIo(Object.assign(Object.create(null), { adapter: {} }))).toThrow('socketIo.adapter');
  });
});
