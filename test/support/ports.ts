import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the range from which the system takes ports for outgoing connections and for servers on port 0. So no other
 * test takes the port before the server listens on it, or while the server restarts.
 */
const FIRST_PORT = 15_000;
const LAST_PORT = 30_000;

/** A free loopback port that stays free until the test uses it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await isFree(port)) return port;
  }
}

/** Like {@link freePort}, for a server that returns to its port after a restart. */
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
