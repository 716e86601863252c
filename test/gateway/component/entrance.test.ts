import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { BlockList } from 'node:net';
import { createComponentServer, type MountOptions } from 'pregon';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterTest } from '../../support/cleanup.js';
import { RecordingComponent, serveComponent } from '../../support/gateway/applications/recording-component.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';

describe('The path of a component', () => {
  it('[004-03] admits connections that match it; any other path is answered with 404', async () => {
    const component = new RecordingComponent();
    const { ws, http } = await serveComponent(component, { path: '/chat/:room' });
    await PlainClient.open(ws('/chat/lobby'));
    await component.called('onOpen');
    for (const path of ['/', '/chat', '/chat/', '/chat/a/b', '/chat/%', '/elsewhere']) {
      expect((await refusal(ws(path))).statusCode, path).toBe(404);
      expect((await fetch(http(path))).status, path).toBe(404);
      expect((await fetch(http(path), { method: 'POST', body: 'x' })).status, path).toBe(404);
    }
    expect(component.methods).toEqual(['onOpen']);
  });

  it('[004-03] answers a POST with 405, and a GET without an upgrade with 426', async () => {
    const { http } = await serveComponent(new RecordingComponent());
    const posted = await fetch(http('/chat'), { method: 'POST', body: 'x' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET']);
    const got = await fetch(http('/chat'));
    expect([got.status, got.headers.get('upgrade')]).toEqual([426, 'websocket']);
    expect(got.headers.get('content-type')).toBe('application/problem+json');
    expect(await got.json()).toEqual({ status: 426, title: 'connect by WebSocket' });
  });

  it('[004-03] answers a wrong WebSocket version, or another upgrade, with 426', async () => {
    const { port } = await serveComponent(new RecordingComponent());
    const statusOf = async (headers: Record<string, string>) => {
      const raw = await RawSocket.open(port);
      const head = await raw.upgrade('/chat', headers);
      await raw.whenEnded();
      return [head.slice(9, 12), /Sec-WebSocket-Version: (\d+)/.exec(head)?.[1]];
    };
    for (const version of ['7', '8', '14', '']) {
      expect(await statusOf({ 'Sec-WebSocket-Version': version })).toEqual(['426', '13']);
    }
    expect(await statusOf({ Upgrade: 'h2c' })).toEqual(['426', undefined]);
  });

  it('that was mounted first takes the connection if several paths match', async () => {
    const [named, any] = [new RecordingComponent(), new RecordingComponent()];
    const server = createComponentServer().mount('/chat/lobby', named).mount('/chat/:room', any);
    afterTest(() => server.close());
    const { port } = await server.listen({ port: 0 });
    await PlainClient.open(`ws://127.0.0.1:${port}/chat/lobby`);
    await PlainClient.open(`ws://127.0.0.1:${port}/chat/other`);
    await Promise.all([named.called('onOpen'), any.called('onOpen')]);
    expect([named.methods, any.methods]).toEqual([['onOpen'], ['onOpen']]);
  });

  it('cannot be mounted twice, and is refused with an invalid path, component or option', () => {
    const component = new RecordingComponent();
    const server = createComponentServer().mount('/chat/:room', component);
    expect(() => server.mount('/chat/:name', component)).toThrow(
      '/chat/:name cannot be mounted: /chat/:room already uses',
    );
    expect(() => server.mount('chat', component)).toThrow(TypeError);
    const { onOpen, onMessage } = component;
    const partial = JSON.parse('{}');
    expect(() => server.mount('/a', Object.assign(partial, { onOpen, onMessage }))).toThrow(
      'missing: onClose, onError',
    );
    const wrong: [MountOptions, string][] = [
      [{ allowedOrigins: ['shop.example'] }, 'allowedOrigins: "shop.example" is not an origin'],
      [{ blockedAddresses: ['nowhere'] }, 'blockedAddresses: "nowhere" is neither an address nor a subnet'],
      [{ subprotocols: ['a b'] }, 'subprotocols: "a b" is not a valid name'],
      [{ subprotocols: ['a', 'a'] }, 'subprotocols: "a" is not a valid name, or occurs twice'],
      [{ maxBufferedBytes: 0 }, 'maxBufferedBytes must be at least 1'],
      [{ maxBufferedBytes: 0.5 }, 'maxBufferedBytes must be a whole number'],
    ];
    for (const [options, message] of wrong) expect(() => server.mount('/b', component, options)).toThrow(message);
    expect(() => createComponentServer({ heartbeatMs: 1 })).toThrow(RangeError);
    expect(() => createComponentServer({ allowedOrigins: ['*'] })).toThrow(TypeError);
  });
});

describe('The admission of a connection to a component', () => {
  async function statusOf(url: string, origin?: string): Promise<number | undefined> {
    const socket = new WebSocket(url, origin === undefined ? {} : { origin });
    afterTest(() => socket.terminate());
    // Terminating a socket after a refused handshake still emits an error.
    socket.on('error', () => {});
    return new Promise((resolve) => {
      socket.once('open', () => resolve(101));
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
    });
  }

  it('[I-9][004-11] takes only local pages and programs if no origins are configured', async () => {
    const { ws } = await serveComponent(new RecordingComponent());
    expect(await statusOf(ws('/chat'), 'http://localhost:8000')).toBe(101);
    expect(await statusOf(ws('/chat'))).toBe(101);
    expect(await statusOf(ws('/chat'), 'https://evil.example')).toBe(403);
  });

  it('[I-9][004-11] takes the origins of the mount, or else of the server; all others get 403', async () => {
    const [own, common] = [new RecordingComponent(), new RecordingComponent()];
    const server = createComponentServer({ allowedOrigins: ['https://common.example'] })
      .mount('/own', own, { allowedOrigins: ['https://own.example'] })
      .mount('/common', common);
    afterTest(() => server.close());
    const { port } = await server.listen({ port: 0 });
    const url = `ws://127.0.0.1:${port}`;
    expect(await statusOf(`${url}/own`, 'https://own.example')).toBe(101);
    expect(await statusOf(`${url}/own`, 'https://common.example')).toBe(403);
    expect(await statusOf(`${url}/common`, 'https://common.example')).toBe(101);
    expect(await statusOf(`${url}/common`, 'https://own.example')).toBe(403);
    expect(await statusOf(`${url}/common`, 'http://localhost')).toBe(403);
    expect([own.methods, common.methods]).toEqual([['onOpen'], ['onOpen']]);
  });

  it('[004-11] refuses addresses on the block list, which may grow at run time', async () => {
    const component = new RecordingComponent();
    const kept = new BlockList();
    const blocked = await serveComponent(component, { blockedAddresses: ['127.0.0.0/8'] });
    const growing = await serveComponent(component, { blockedAddresses: kept });
    expect(await statusOf(blocked.ws('/chat'))).toBe(403);
    expect((await fetch(blocked.http('/chat'))).status).toBe(403);
    expect(component.methods).toEqual([]);
    expect(await statusOf(growing.ws('/chat'))).toBe(101);
    kept.addAddress('127.0.0.1');
    expect(await statusOf(growing.ws('/chat'))).toBe(403);
    expect(await statusOf(growing.ws('/nowhere'))).toBe(404);
  });

  it('[004-05] selects the best subprotocol that both sides know, or none', async () => {
    const component = new RecordingComponent();
    const { ws, port } = await serveComponent(component, { subprotocols: ['chat.v2', 'chat.v1'] });
    const chosen = async (offered: string) => {
      const raw = await RawSocket.open(port);
      const head = await raw.upgrade('/chat', offered === '' ? {} : { 'Sec-WebSocket-Protocol': offered });
      expect(head).toMatch(/^HTTP\/1\.1 101 /);
      return /Sec-WebSocket-Protocol: (\S+)/.exec(head)?.[1];
    };
    expect(await chosen('chat.v1')).toBe('chat.v1');
    expect(await chosen('other, chat.v1, chat.v2')).toBe('chat.v2');
    expect(await chosen('other')).toBeUndefined();
    expect(await chosen('')).toBeUndefined();
    const socket = new WebSocket(ws('/chat'), ['chat.v1']);
    afterTest(() => socket.terminate());
    await once(socket, 'open');
    const opened = await component.called('onOpen', 5);
    const agreed = opened.map(({ connection }) => connection.subprotocol);
    expect(agreed).toEqual(['chat.v1', 'chat.v2', undefined, undefined, 'chat.v1']);
  });
});

describe('A component server', () => {
  it('[004-04] reports clearly that its port is in use', async () => {
    const { port } = await serveComponent(new RecordingComponent());
    const second = createComponentServer().mount('/chat', new RecordingComponent());
    await expect(second.listen({ port })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: `cannot listen on 127.0.0.1:${port}: the port is in use`,
    });
    const { port: other } = await second.listen({ port: 0 });
    afterTest(() => second.close());
    expect(other).not.toBe(port);
  });

  it('[002-02] serves components over TLS', async () => {
    const cert = readFileSync(new URL('../../support/tls/cert.pem', import.meta.url));
    const key = readFileSync(new URL('../../support/tls/key.pem', import.meta.url));
    const component = new RecordingComponent({ onMessage: (connection, data) => connection.send(data) });
    const server = createComponentServer().mount('/chat', component);
    afterTest(() => server.close());
    const { port } = await server.listen({ port: 0, cert, key });
    const client = await PlainClient.open(`wss://127.0.0.1:${port}/chat`, { ca: cert });
    client.socket.send('securely');
    expect(await client.messages.count(1)).toEqual(['securely']);
  });

  it('[004-05] serves components on an existing server, and leaves its pages alone, also after it has closed', async () => {
    const server = createServer((_request, response) => response.end('the page'));
    const component = new RecordingComponent();
    const components = createComponentServer().mount('/chat', component);
    components.attach(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterTest(() => {
      server.close();
      server.closeAllConnections();
    });
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
    const http = `http://127.0.0.1:${address.port}`;
    const client = await PlainClient.open(`ws://127.0.0.1:${address.port}/chat`);
    expect(await (await fetch(http)).text()).toBe('the page');
    expect((await fetch(`${http}/chat`)).status).toBe(426);
    await components.close();
    expect((await client.whenClosed()).code).toBe(4000);
    expect(await (await fetch(`${http}/chat`)).text()).toBe('the page');
  });

  it('[004-05] has its counterpart in a gateway, which serves components beside its routes', async () => {
    const component = new RecordingComponent({ onMessage: (connection, data) => connection.send(data) });
    const { gateway, ws, http, append } = await startGateway();
    gateway.mount('/chat/:room', component, { allowedOrigins: ['https://shop.example'] });
    const subscriber = await PlainClient.open(ws('/events'));
    const client = await PlainClient.open(ws('/chat/lobby'), { origin: 'https://shop.example' });
    client.socket.send('hello');
    expect(await client.messages.count(1)).toEqual(['hello']);
    await append(1);
    expect(await subscriber.numbers(1)).toEqual([1]);
    expect((await component.connection()).request.parameters).toEqual({ room: 'lobby' });
    expect((await refusal(ws('/chat/lobby'), { origin: 'http://localhost' })).statusCode).toBe(403);
    expect((await fetch(http('/chat'))).status).toBe(404);
    expect((await fetch(http('/chat/lobby'), { method: 'POST' })).status).toBe(405);
    expect(() => gateway.mount('/:any', component)).toThrow('/:any cannot be mounted: /events already uses the path');
    expect(() => gateway.mount('/a', component, { allowedOrigins: ['*'] })).toThrow(TypeError);
    await gateway.close({ spreadMs: 0 });
    expect(await client.whenClosed()).toEqual({ code: 4000, reason: 'the gateway is going away' });
    expect((await component.called('onClose'))[0]?.close.code).toBe(4000);
  });
});
