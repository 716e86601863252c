import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterTest } from '../cleanup.js';

const CLIENT = join(import.meta.dirname, '../../../packages/client/dist/index.js');

/**
 * Starts a server with a page that has the exports of the client in the variable `pregon`.
 *
 * @param answer of the application to a request for another path; undefined for 404
 */
export async function servePage(
  answer: (url: string | undefined) => string | undefined | Promise<string | undefined> = () => undefined,
): Promise<{ server: Server; origin: string }> {
  const { outputFiles } = await build({
    stdin: { contents: `export * from ${JSON.stringify(CLIENT)}`, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'pregon',
  });
  const script = outputFiles[0]?.text ?? '';
  const server = createServer(async ({ url }, response) => {
    if (url === '/client.js') response.setHeader('Content-Type', 'text/javascript').end(script);
    else if (url === '/') response.setHeader('Content-Type', 'text/html').end('<script src="/client.js"></script>');
    else {
      const text = await answer(url);
      if (text === undefined) response.writeHead(404).end('not found');
      else response.end(text);
    }
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
