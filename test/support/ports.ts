import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that the system gives to outgoing connections and to servers on port 0, so that no other test takes the port before
 * the server listens on it, or while the server restarts.
 */
const FIRST_PORT = 15_000;
const LAST_PORT = 30_000;

/** A port of the loopback address that nothing listens on, and that stays free until the test uses it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await isFree(port)) return port;
  }
}

/** The same, for a server that comes back to its port. */
export const stablePort = freePort;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = new Promise<boolean>((resolve) => {
    server.once('listening', () => resolve(true)).once('error', () => resolve(false));
  });
  server.listen(port, '127.0.0.1');
  if (!(await listening)) return false;
  server.close();
  await once(server, 'close');
  return true;
}
