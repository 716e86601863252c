import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { attachGateway } from 'pregon';
import { expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { describeInBrowser } from '../../support/pages/browser.js';
import { freePort } from '../../support/ports.js';

const CLIENT = join(import.meta.dirname, '../../../packages/client/dist/index.js');

interface Seen {
  readonly state: string;
  readonly code: string | undefined;
  readonly message: string;
}

/** Starts a server with a page that has the client as `createClient`; other paths get the application's 404. */
async function servePage(): Promise<{ server: Server; origin: string }> {
  const { outputFiles } = await build({
    stdin: { contents: `export * from ${JSON.stringify(CLIENT)}`, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'pregon',
  });
  const script = outputFiles[0]?.text ?? '';
  const server = createServer(({ url }, response) => {
    if (url === '/client.js') response.setHeader('Content-Type', 'text/javascript').end(script);
    else if (url === '/') response.setHeader('Content-Type', 'text/html').end('<script src="/client.js"></script>');
    else response.writeHead(404).end('not found');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return { server, origin: `http://127.0.0.1:${address.port}` };
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
