import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { attachGateway } from 'pregon';
import { expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { describeInBrowser } from '../../support/pages/browser.js';
import { servePage } from '../../support/pages/client-page.js';
import { freePort } from '../../support/ports.js';

interface Seen {
  readonly state: string;
  readonly code: string | undefined;
  readonly message: string;
}

/** The state of a client in the page, once it is connected or knows why it is not. */
function outcome(page: Page, url: string): Promise<Seen> {
  return page.evaluate(async (given) => {
    const { createClient } = Reflect.get(window, 'pregon');
    const client = createClient({ url: given });
    client.on('error', () => {});
    const isKnown = () =>
      ['online', 'refused'].includes(client.state) || /^ws.* /.test(client.lastError?.message ?? '');
    while (!isKnown()) await new Promise((resolve) => client.on('state', resolve));
    const { state, lastError } = client;
    client.close();
    return { state, code: lastError?.code, message: lastError?.message ?? '' };
  }, url);
}

describeInBrowser('The client in a real browser, which hides from pages why a WebSocket was refused,', (open) => {
  it('[fault G10][fault G2] takes a path of the page as its URL, and finds out why it is refused', async () => {
    const { server, origin } = await servePage();
    const routes = { events: { path: '/events' } };
    const log = `sqlite:${join(temporaryFolder(), 'log.db')}`;
    const gateway = await attachGateway(server, { log, routes, allowedOrigins: [origin] });
    afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
    const stranger = await servePage();
    const page = await open();
    await page.goto(`${origin}/`);
    for (const url of ['/events', 'events', `${origin}/events`, `${origin.replace('http', 'ws')}/events`]) {
      expect(await outcome(page, url)).toEqual({ state: 'online', code: undefined, message: '' });
    }
    expect(await outcome(page, '/nowhere')).toMatchObject({
      state: 'refused',
      code: 'ROUTE_UNKNOWN',
      message: expect.stringContaining('(404)'),
    });
    expect(await outcome(page, `http://127.0.0.1:${await freePort()}/events`)).toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringMatching(/cannot be reached: is the gateway running there\?$/),
    });
    const foreign = await open();
    await foreign.goto(`${stranger.origin}/`);
    expect(await outcome(foreign, `${origin}/events`)).toMatchObject({
      state: 'refused',
      code: 'FORBIDDEN',
      message: expect.stringContaining('allowedOrigins'),
    });
  });
});
