import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port of the loopback address that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port was given');
  return address.port;
}

/** Below the ports that systems hand out by themselves, so that nobody takes it while a server is restarted. */
const FIRST_STABLE_PORT = 15_000;
const LAST_STABLE_PORT = 30_000;

/** A port that nothing listens on now, for a server that comes back to it. */
export async function stablePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_STABLE_PORT, LAST_STABLE_PORT);
    const server = createServer();
    const free = new Promise<boolean>((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false));
    });
    server.listen(port, '127.0.0.1');
    if (!(await free)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
