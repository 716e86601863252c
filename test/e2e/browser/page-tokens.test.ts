import { join } from 'node:path';
import { attachGateway } from 'pregon';
import { expect, it } from 'vitest';
import { ISSUER, SECRET, signToken } from '../../support/access/tokens.js';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { describeInBrowser } from '../../support/pages/browser.js';
import { servePage } from '../../support/pages/client-page.js';

describeInBrowser('[H-04] [H-05] [H-06] A page with the client, in a real browser,', (open) => {
  it('goes through sign-in, renewal of its token and a ban, on one connection', async () => {
    let user: string | undefined;
    let asked = 0;
    const { server, origin } = await servePage((url) => {
      asked += url === '/token' ? 1 : 0;
      return url === '/token' && user ? signToken({ sub: user }, { expiresInS: 4 }) : undefined;
    });
    const gateway = await attachGateway(server, {
      log: `sqlite:${join(temporaryFolder(), 'log.db')}`,
      auth: { issuers: [{ issuer: ISSUER, secret: SECRET }] },
      routes: { events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#' }] } },
      allowedOrigins: [origin],
    });
    afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
    const page = await open();
    await page.goto(`${origin}/`);
    await page.evaluate(() => {
      const { createClient } = Reflect.get(window, 'pregon');
      const token = async () => {
        const response = await fetch('/token');
        return response.ok ? response.text() : null;
      };
      const client = createClient({ url: '/events', token });
      const seen: string[] = [];
      client.on('error', () => {});
      client.subscribe({ onEvent: ({ topic }: { topic: string }) => seen.push(topic) });
      Object.assign(window, { client, seen });
    });
    const state = () => page.evaluate(() => String(Reflect.get(window, 'client').state));
    const reason = () => page.evaluate(() => String(Reflect.get(window, 'client').lastError?.message));
    const seen = () => page.evaluate(() => [...Reflect.get(window, 'seen')]);
    const publish = (topic: string) =>
      gateway.publish({ source: '/test', type: 'Happened', topic, exchange: 'events' });
    await expect.poll(state, { timeout: 60_000 }).toBe('unauthorized');
    expect(await reason()).toContain('a token is needed here');

    user = 'ada';
    await page.evaluate(() => Reflect.get(window, 'client').authorize());
    await expect.poll(state, { timeout: 60_000 }).toBe('online');
    const [connection] = gateway.connections('events');
    await expect.poll(() => asked, { timeout: 60_000 }).toBeGreaterThan(4);
    await publish('user.eve.x');
    await publish('user.ada.x');
    await expect.poll(seen).toEqual(['user.ada.x']);
    expect([...gateway.connections('events')]).toEqual([connection]);

    // The events before the ban have arrived; the page gets nothing after it.
    await gateway.block({ iss: ISSUER, sub: 'ada', until: Date.now() + 60_000 });
    await expect.poll(state, { timeout: 60_000 }).toBe('forbidden');
    await publish('user.ada.y');
    await page.evaluate(() => Reflect.get(window, 'client').authorize());
    await expect.poll(state, { timeout: 60_000 }).toBe('forbidden');
    expect(await seen()).toEqual(['user.ada.x']);
    expect(gateway.connections('events').count).toBe(0);
  });
});
