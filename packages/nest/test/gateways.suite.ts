import { describe, expect, it } from 'vitest';
import { SocketIoClient } from '../../../test/support/gateway/socketio-client.js';
import { freePort } from '../../../test/support/ports.js';
import { eventually } from '../../../test/support/waiting.js';
import { type Apps, running } from './support/apps.js';
import { values } from './support/values.js';

/** Tests of Nest classes that do not know Pregon, on its adapter, as stock clients see them. */
export function gatewaysSuite(apps: () => Apps): void {
  describe('a gateway of Nest', () => {
    it('[002-05] [002-06] [002-08] answers with a value, a Promise or an Observable, and with an acknowledgement', async () => {
      const { url } = await running(apps(), { gateways: ['chat'] });
      const client = await SocketIoClient.open(url);
      client.socket.emit('value', 1);
      client.socket.emit('promise', 2);
      client.socket.emit('observable', 3);
      expect((await values(client, 'answer', 5)).sort()).toEqual([0, 1, 1, 2, 2]);
      expect(await client.ask('ack', { text: 'hello' })).toBe(`hello from ${client.socket.id}`);
    });

    it('[002-05] runs guards, pipes, interceptors and filters', async () => {
      const { url } = await running(apps(), { gateways: ['chat'] });
      const client = await SocketIoClient.open(url);
      expect(await client.ask('guarded', { friend: true })).toBe('come in');
      expect(await client.ask('piped', { count: '41' })).toBe(42);
      expect(await client.ask('intercepted', '  loud  ')).toBe('LOUD');
      client.socket.emit('filtered');
      expect(await values(client, 'out of range', 1)).toEqual(['too far']);
      client.socket.emit('guarded', { friend: false });
      expect(await values(client, 'exception', 1)).toMatchObject([{ status: 'error', message: 'Forbidden resource' }]);
    });

    it('[002-05] sends a WsException as `exception`, and of any other error only that it happened', async () => {
      const { url } = await running(apps(), { gateways: ['chat'] });
      const client = await SocketIoClient.open(url);
      client.socket.emit('refused');
      client.socket.emit('broken');
      expect(await values(client, 'exception', 2)).toMatchObject([
        { status: 'error', message: 'not today' },
        { status: 'error', message: 'Internal server error' },
      ]);
      expect(await client.ask('piped', { count: '1' })).toBe(2);
    });

    it('[002-12] [002-13] [002-14] gets its server by injection, and is told of each connection, by polling too', async () => {
      const { url, journal } = await running(apps(), { gateways: ['chat'] });
      const client = await SocketIoClient.open(url);
      const polling = await SocketIoClient.open(url, { transports: ['polling'] });
      client.socket.emit('tell', 'news');
      expect(await values(polling, 'told', 1)).toEqual(['news']);
      const { id } = client.socket;
      client.socket.disconnect();
      await eventually(
        () => journal,
        (lines) => lines.includes(`chat: disconnect ${id}`),
      );
      expect(journal.filter((line) => line.startsWith('chat: '))).toEqual([
        'chat: constructor',
        'chat: afterInit function',
        `chat: connect ${id}`,
        `chat: connect ${polling.socket.id}`,
        `chat: disconnect ${id}`,
      ]);
    });

    it('[002-10] [002-11] [002-15] [002-16] [002-17] emits to its whole namespace, including the newest client and the sender', async () => {
      const { url } = await running(apps(), { gateways: ['chat', 'products'] });
      expect(apps().PRODUCTS_NAMESPACE).toBe('/ws/v1/productos');
      const elsewhere = await SocketIoClient.open(url);
      const first = await SocketIoClient.open(`${url}${apps().PRODUCTS_NAMESPACE}`);
      const second = await SocketIoClient.open(`${url}${apps().PRODUCTS_NAMESPACE}`);
      expect(await values(first, 'connection', 2)).toEqual([
        `there is ${first.socket.id}`,
        `there is ${second.socket.id}`,
      ]);
      expect(await values(second, 'connection', 1)).toEqual([`there is ${second.socket.id}`]);
      second.socket.emit('updateProduct', { id: 7 });
      for (const client of [first, second]) expect(await values(client, 'updates', 1)).toEqual([{ id: 7 }]);
      expect(await elsewhere.ask('ack', { text: 'still' })).toBe(`still from ${elsewhere.socket.id}`);
      expect(elsewhere.received.all).toEqual([]);
    });

    it('[002-08] uses the options of its decorator, unless the module overrides them', async () => {
      const decorated = await running(apps(), { gateways: ['chat', 'products'] });
      expect(await handshake(decorated.url)).toMatchObject({ pingInterval: 12_345 });
      const own = await running(apps(), { gateways: ['products'], gateway: { socketIo: { pingInterval: 23_456 } } });
      expect(await handshake(own.url)).toMatchObject({ pingInterval: 23_456 });
    });

    it('[I-9] causes a warning if its decorator names origins, which the gateway ignores', async () => {
      const warned = async (allowedOrigins?: string[]) => {
        const gateway = allowedOrigins === undefined ? {} : { allowedOrigins };
        const { url, journal } = await running(apps(), { gateways: ['products'], gateway });
        const { status } = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, {
          headers: { origin: 'http://shop.example' },
        });
        return { status, warnings: journal.filter((line) => line.startsWith('warn: ')) };
      };
      const refused = expect.stringMatching(/^warn: refused: .*http:\/\/shop\.example.*allowedOrigins/);
      const ofDecorator = expect.stringMatching(/^warn: cors .*allowedOrigins/);
      expect(await warned()).toEqual({ status: 403, warnings: [ofDecorator, refused] });
      expect(await warned(['http://shop.example'])).toEqual({ status: 200, warnings: [] });
    });

    it('[002-08] may have its own port, and receives nothing from clients of another port', async () => {
      const port = await freePort();
      const app = await running(apps(), { gateways: ['chat', port] });
      const there = await SocketIoClient.open(`http://127.0.0.1:${port}`);
      const here = await SocketIoClient.open(app.url);
      expect(await there.ask('ack', { text: 'x' })).toBe(`by port ${port}`);
      expect(await here.ask('ack', { text: 'x' })).toBe(`x from ${here.socket.id}`);
      const own = await SocketIoClient.open(`http://127.0.0.1:${port}/own`);
      expect(await own.ask('ack')).toBe(`by port ${port}`);
      own.socket.emit('tell', 'news');
      expect(await values(own, 'told', 1)).toEqual(['news']);
      expect((await fetch(`http://127.0.0.1:${port}/hello`)).status).toBe(404);
      await app.close();
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    });
  });
}

async function handshake(url: string): Promise<unknown> {
  const answer = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
  return JSON.parse((await answer.text()).slice(1));
}
