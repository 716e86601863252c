import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { afterTest } from '../../../test/support/cleanup.js';
import { PlainClient, refusal } from '../../../test/support/gateway/plain-client.js';
import { SocketIoClient } from '../../../test/support/gateway/socketio-client.js';
import { eventually } from '../../../test/support/waiting.js';
import { type Apps, gatewayOptions, running } from './support/apps.js';
import { values } from './support/values.js';

const TLS = new URL('../../../test/support/tls/', import.meta.url);

/** The gateway as a part of the application: its port, its start and its end. */
export function moduleSuite(apps: () => Apps): void {
  describe('PregonModule', () => {
    it('[002-05] serves routes and Socket.IO on the port of the application, beside its controllers', async () => {
      const { url } = await running(apps(), { gateways: ['chat'] });
      expect(await (await fetch(`${url}/hello`)).text()).toBe('hello from 1 routes');
      expect((await fetch(`${url}/nothing`)).status).toBe(404);
      const plain = await PlainClient.open(`${url.replace('http', 'ws')}/events`);
      const stock = await SocketIoClient.open(`${url}/events`);
      const body = JSON.stringify({ name: 'Ada' });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/users`, { method: 'POST', headers, body });
      const { position } = Object(await answer.json());
      expect(await plain.events.count(1)).toMatchObject([{ type: 'UserWasCreated', data: { name: 'Ada' }, position }]);
      expect(await values(stock, 'UserWasCreated', 1)).toMatchObject([
        { type: 'UserWasCreated', data: { name: 'Ada' } },
      ]);
    });

    it('[002-07] takes its options from a factory with an injected dependency', async () => {
      const { url, journal } = await running(apps(), { isAsync: true, gateways: ['chat'] });
      expect(journal).toContain('options: made');
      expect(await (await SocketIoClient.open(url)).ask('piped', { count: '1' })).toBe(2);
    });

    it('[002-02] serves wss on the server of an application with https', async () => {
      const [key, cert] = ['localhost.key.pem', 'localhost.cert.pem'].map((file) => readFileSync(new URL(file, TLS)));
      const httpsOptions = { key: String(key), cert: String(cert) };
      const { url } = await running(apps(), { gateways: ['chat'], httpsOptions });
      const client = await SocketIoClient.open(url, { rejectUnauthorized: false });
      expect(await client.ask('piped', { count: '1' })).toBe(2);
      const plain = await PlainClient.open(`${url.replace('https', 'wss')}/events`, { rejectUnauthorized: false });
      expect((await plain.close()).code).toBe(1000);
    });

    it('[002-14] tells its clients and the gateway classes when the application closes', async () => {
      const app = await running(apps(), { gateways: ['chat'] });
      const client = await SocketIoClient.open(app.url);
      const plain = await PlainClient.open(`${app.url.replace('http', 'ws')}/events`);
      const { id } = client.socket;
      const ended = new Promise((resolve) => client.socket.once('disconnect', resolve));
      await app.close();
      await ended;
      // 4000 to 4499 mean: reconnect.
      expect((await plain.whenClosed()).code).toBeGreaterThanOrEqual(4000);
      expect((await plain.whenClosed()).code).toBeLessThan(4500);
      expect(app.journal).toContain(`chat: disconnect ${id}`);
      await expect(fetch(app.url)).rejects.toThrow();
    });

    it('[002-05] [002-07] needs no HTTP server: the gateway may have its own port, and still delivers events', async () => {
      const app = await apps().bootContext({ gateway: gatewayOptions(), subscribers: true });
      afterTest(() => app.close());
      const { port } = await app.gateway.listen({ port: 0 });
      const plain = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
      await app.publisher.publish({ exchange: 'x', topic: 't', type: 'LampWasLit', source: '/nest', data: null });
      expect(await plain.events.count(1)).toMatchObject([{ type: 'LampWasLit' }]);
      await eventually(
        () => app.journal,
        (lines) => lines.includes('audit: LampWasLit'),
      );
    });

    it('says what is missing if the module is not imported', async () => {
      const booting = apps().boot({ gateway: gatewayOptions(), gateways: ['chat'], isImported: false });
      await expect(booting).rejects.toThrow(/needs PregonModule: add it to the imports/);
    });

    it('[H-01] stops the start in production if nothing says who may connect', async () => {
      vi.stubEnv('NODE_ENV', 'production');
      afterTest(() => vi.unstubAllEnvs());
      await expect(apps().boot({ gateway: gatewayOptions() })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      const { url } = await running(apps(), { gateway: { access: 'public' }, gateways: ['chat'] });
      const headers = { Host: 'gateway.example', 'X-Forwarded-For': '203.0.113.7' };
      await PlainClient.open(`${url.replace('http', 'ws')}/events`, { headers });
    });

    it('[H-01] admits only this machine to its routes and gateway classes if nothing is configured', async () => {
      const { url } = await running(apps(), { gateways: ['chat'] });
      const headers = { 'X-Forwarded-For': '203.0.113.7' };
      expect((await refusal(`${url.replace('http', 'ws')}/events`, { headers })).statusCode).toBe(401);
      expect((await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers })).status).toBe(401);
    });

    it('stops the start if its options are wrong, says why, and leaves nothing open', async () => {
      const routes = { events: { path: 'no slash' } };
      await expect(apps().boot({ gateway: gatewayOptions({ routes }) })).rejects.toThrow(/routes.events.path/);
    });
  });
}
