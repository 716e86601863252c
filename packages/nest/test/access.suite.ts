import type { PregonModuleOptions } from '@pregon/nest';
import { describe, expect, it } from 'vitest';
import { ISSUER, SECRET, signToken } from '../../../test/support/access/tokens.js';
import { PlainClient, refusal } from '../../../test/support/gateway/plain-client.js';
import { SocketIoClient } from '../../../test/support/gateway/socketio-client.js';
import { type Apps, gatewayOptions, running } from './support/apps.js';
import { values } from './support/values.js';

const routes: PregonModuleOptions['routes'] = {
  events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#' }] },
};

/** A gateway with tokens of an issuer. */
function withAuth(options: Partial<PregonModuleOptions> = {}): PregonModuleOptions {
  return gatewayOptions({ auth: { issuers: [{ issuer: ISSUER, secret: SECRET }] }, routes, ...options });
}

/** Tokens and rules in a Nest application, with guards of Nest. */
export function accessSuite(apps: () => Apps): void {
  describe('[I-9] [H-04] A Nest application with auth', () => {
    const connect = async (url: string, token?: string) =>
      SocketIoClient.open(url, token === undefined ? {} : { auth: { token } });

    it('lets guards decide by the identity of the token, if its namespace is left to the application', async () => {
      const gateway = withAuth({ namespaces: { '/': 'application' } });
      const { url, journal } = await running(apps(), { gateways: ['chat'], gateway });
      const admin = await connect(url, await signToken({ sub: 'ada', role: 'admin' }));
      expect(await admin.ask('for admins')).toBe('welcome, ada');
      for (const client of [await connect(url, await signToken({ sub: 'eve', role: 'member' })), await connect(url)]) {
        client.socket.emit('for admins');
        expect(await values(client, 'exception', 1)).toMatchObject([{ message: 'Forbidden resource' }]);
        expect(await client.ask('piped', { count: '1' })).toBe(2);
      }
      expect(journal.filter((line) => line.includes('no client may enter'))).toEqual([]);
    });

    it('closes the namespaces of its gateways otherwise, and says what to add', async () => {
      const { url, journal } = await running(apps(), { gateways: ['chat', 'products'], gateway: withAuth() });
      expect(journal.filter((line) => line.includes('no client may enter'))).toHaveLength(2);
      expect(journal.join()).toContain("namespaces: { '/': 'application' }");
      const client = new SocketIoClient(url, { auth: { token: await signToken() }, reconnection: false });
      const refused = new Promise<unknown>((resolve) => client.socket.once('connect_error', resolve));
      expect(await refused).toMatchObject({ data: { code: 'FORBIDDEN', status: 403 } });
      expect(journal.join()).not.toContain('chat: connect');
    });

    it('never lets a client in whose token is not valid, whatever its guards would say', async () => {
      const gateway = withAuth({ namespaces: { '/': 'application' } });
      const { url } = await running(apps(), { gateways: ['chat'], gateway });
      const client = new SocketIoClient(url, { auth: { token: 'nonsense' }, reconnection: false });
      const refused = new Promise<unknown>((resolve) => client.socket.once('connect_error', resolve));
      expect(await refused).toMatchObject({ data: { status: 401 } });
    });

    it('serves its routes by the rules', async () => {
      const { url, gateway } = await running(apps(), { gateway: withAuth() });
      const events = `${url.replace('http', 'ws')}/events`;
      expect((await refusal(events)).statusCode).toBe(401);
      const headers = { Authorization: `Bearer ${await signToken({ sub: 'ada' })}` };
      const client = await PlainClient.open(events, { headers });
      for (const sub of ['eve', 'ada']) {
        await gateway.publish({ exchange: 'x', topic: `user.${sub}.created`, type: 'UserWasCreated', source: '/nest' });
      }
      expect((await client.events.count(1)).map(({ topic }) => topic)).toEqual(['user.ada.created']);
    });
  });
}
