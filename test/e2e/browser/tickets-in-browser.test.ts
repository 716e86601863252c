import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { ISSUER, SECRET, signToken } from '../../support/access/tokens.js';
import { afterTest } from '../../support/cleanup.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { describeInBrowser } from '../../support/pages/browser.js';

const STREAM = join(import.meta.dirname, '../../../packages/client/dist/event-source.js');

/** Serves a page of another origin than the gateway, with `eventSource` of the client. */
async function servePage(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: `export * from ${JSON.stringify(STREAM)}`, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'pregon',
  });
  const script = `<!doctype html><script>${outputFiles[0]?.text ?? ''}</script>`;
  const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(script));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${Reflect.get(Object(server.address()), 'port')}`;
}

describeInBrowser(
  '[H-04] A page of another origin, which can send no token with WebSocket and EventSource,',
  (open) => {
    it('[I-9] connects both with tickets, returns with a new one, and streams with eventSource()', async () => {
      const origin = await servePage();
      const gateway = await startGateway({
        auth: { issuers: [{ issuer: ISSUER, secret: SECRET }] },
        allowedOrigins: [origin],
        routes: { events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#' }] } },
      });
      await gateway.append(1, { topic: () => 'user.grace.created' });
      const [first] = await gateway.append(1, { topic: () => 'user.ada.created' });
      const page = await open();
      await page.goto(`${origin}/`);
      const seen = await page.evaluate(
        async ({ url, token }) => {
          const ticket = async () => {
            const headers = { Authorization: `Bearer ${token}` };
            const response = await fetch(`${url}/tickets`, { method: 'POST', headers });
            return (await response.json()).ticket;
          };
          const ofSocket = async (query: string) =>
            new Promise<string>((resolve) => {
              const socket = new WebSocket(`${url.replace('http', 'ws')}?since=first&${query}`);
              socket.onmessage = ({ data }) => resolve(JSON.parse(data).id);
              socket.onclose = ({ code }) => resolve(`closed with ${code}`);
            });
          const ofStream = async (query: string) =>
            new Promise<string>((resolve) => {
              const source = new EventSource(`${url}?since=first&${query}`);
              source.onmessage = ({ data }) => resolve(JSON.parse(data).id);
              source.onerror = () => resolve(`error in state ${source.readyState}`);
            });
          const once = await ticket();
          const { eventSource } = Reflect.get(window, 'pregon');
          const ofClient = new Promise<string>((resolve) => {
            const source = eventSource(`${url}?since=first`, { token: () => token });
            source.onmessage = ({ data }: { data: string }) => resolve(JSON.parse(data).id);
            source.onerror = ({ message }: { message: string }) => resolve(message);
          });
          const refused = await fetch(`${url}/tickets`, { method: 'POST', headers: { Authorization: 'Bearer x' } });
          return {
            socket: await ofSocket(`ticket=${once}`),
            spent: await ofSocket(`ticket=${once}`),
            spentStream: await ofStream(`ticket=${once}`),
            stream: await ofStream(`ticket=${await ticket()}`),
            client: await ofClient,
            refused: [refused.status, (await refused.json()).title],
          };
        },
        { url: gateway.http('/events'), token: await signToken() },
      );
      expect(seen).toEqual({
        socket: first?.id,
        spent: 'closed with 4005',
        spentStream: 'error in state 2',
        stream: first?.id,
        client: first?.id,
        refused: [401, 'the token is not a signed JSON Web Token in compact form'],
      });
    });
  },
);
