import { describe, expect, it } from 'vitest';
import { freePort } from '../../../test/support/ports.js';
import { eventually } from '../../../test/support/waiting.js';
import { type Apps, running } from './support/apps.js';
import { StockClient } from './support/stock-client.js';

/** What classes of Nest that know nothing of Pregon do on its adapter, seen by stock clients. */
export function gatewaysSuite(apps: () => Apps): void {
  describe('a gateway of Nest', () => {
    it('[002-05] [002-06] [002-08] answers with a value, a Promise or an Observable, and by acknowledgement', async () => {
      const { url } = await running(apps(), { gateways: ['chat'] });
      const client = await StockClient.open(url);
      client.emit('value', 1);
      client.emit('promise', 2);
      client.emit('observable', 3);
      expect((await client.values('answer', 5)).sort()).toEqual([0, 1, 1, 2, 2]);
      expect(await client.ask('ack', { text: 'hello' })).toBe(`hello from ${client.id}`);
    });

    it('[002-05] runs guards, pipes, interceptors and filters', async () => {
      const { url } = await running(apps(), { gateways: ['chat'] });
      const client = await StockClient.open(url);
      expect(await client.ask('guarded', { friend: true })).toBe('come in');
      expect(await client.ask('piped', { count: '41' })).toBe(42);
      expect(await client.ask('intercepted', '  loud  ')).toBe('LOUD');
      client.emit('filtered');
      expect(await client.values('out of range', 1)).toEqual(['too far']);
      client.emit('guarded', { friend: false });
      expect(await client.values('exception', 1)).toMatchObject([{ status: 'error', message: 'Forbidden resource' }]);
    });

    it('[002-05] tells a WsException as `exception`, and of any other error nothing but that there was one', async () => {
      const { url } = await running(apps(), { gateways: ['chat'] });
      const client = await StockClient.open(url);
      client.emit('refused');
      client.emit('broken');
      expect(await client.values('exception', 2)).toMatchObject([
        { status: 'error', message: 'not today' },
        { status: 'error', message: 'Internal server error' },
      ]);
      expect(await client.ask('piped', { count: '1' })).toBe(2);
    });

    it('[002-12] [002-13] [002-14] has its server injected, and is told of each connection, by polling too', async () => {
      const { url, journal } = await running(apps(), { gateways: ['chat'] });
      const client = await StockClient.open(url);
      const polling = await StockClient.open(url, { transports: ['polling'] });
      client.emit('tell', 'news');
      expect(await polling.values('told', 1)).toEqual(['news']);
      const { id } = client;
      client.socket.disconnect();
      await eventually(
        () => journal,
        (lines) => lines.includes(`chat: disconnect ${id}`),
      );
      expect(journal.filter((line) => line.startsWith('chat: '))).toEqual([
        'chat: constructor',
        'chat: afterInit function',
        `chat: connect ${id}`,
        `chat: connect ${polling.id}`,
        `chat: disconnect ${id}`,
      ]);
    });

    it('[002-10] [002-11] [002-15] [002-16] [002-17] emits to all of its namespace, whoever came last or sent it included', async () => {
      const { url } = await running(apps(), { gateways: ['chat', 'products'] });
      expect(apps().PRODUCTS_NAMESPACE).toBe('/ws/v1/productos');
      const elsewhere = await StockClient.open(url);
      const first = await StockClient.open(`${url}${apps().PRODUCTS_NAMESPACE}`);
      const second = await StockClient.open(`${url}${apps().PRODUCTS_NAMESPACE}`);
      expect(await first.values('connection', 2)).toEqual([`there is ${first.id}`, `there is ${second.id}`]);
      expect(await second.values('connection', 1)).toEqual([`there is ${second.id}`]);
      second.emit('updateProduct', { id: 7 });
      for (const client of [first, second]) expect(await client.values('updates', 1)).toEqual([{ id: 7 }]);
      expect(await elsewhere.ask('ack', { text: 'still' })).toBe(`still from ${elsewhere.id}`);
      expect(elsewhere.came.all).toEqual([]);
    });

    it('[002-08] has the options of its decorator, unless the module has its own', async () => {
      const decorated = await running(apps(), { gateways: ['chat', 'products'] });
      expect(await handshake(decorated.url)).toMatchObject({ pingInterval: 12_345 });
      const own = await running(apps(), { gateways: ['products'], gateway: { socketIo: { pingInterval: 23_456 } } });
      expect(await handshake(own.url)).toMatchObject({ pingInterval: 23_456 });
    });

    it('[002-08] may have a port of its own, and hears nobody who came by another', async () => {
      const port = await freePort();
      const app = await running(apps(), { gateways: ['chat', port] });
      const there = await StockClient.open(`http://127.0.0.1:${port}`);
      const here = await StockClient.open(app.url);
      expect(await there.ask('ack', { text: 'x' })).toBe(`by port ${port}`);
      expect(await here.ask('ack', { text: 'x' })).toBe(`x from ${here.id}`);
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
