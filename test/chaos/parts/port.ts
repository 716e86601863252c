import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the range from which Linux takes the ports of outgoing connections, so that a part that is down for a moment
 * finds its port free when it comes back.
 */
const FIRST = 20_000;
const LAST = 30_000;

const given = new Set<number>();

/**
 * Returns a free loopback port for a part that is restarted again and again. It does not depend on the seed, because
 * two runs of one seed must not collide.
 */
export async function steadyPort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
}
