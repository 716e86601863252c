import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterTest } from '../cleanup.js';

/** An HTTP server on a free loopback port, which is closed after the test. */
export async function listening(listener?: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('the server does not listen on a port');
  return { server, port: address.port };
}
