import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Reports a port in use early and in one line, before a process is started that would fail on it.
 *
 * @throws RangeError if the port is in use or cannot be used
 */
export async function assertPortIsFree(host: string, port: number, variable: string): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
  } catch (error) {
    const why = codeOf(error) === 'EADDRINUSE' ? 'is in use' : `cannot be used (${codeOf(error) ?? error})`;
    throw new RangeError(`Port ${port} of ${host} ${why}. Choose another port: ${variable}=${port + 10} npm start`);
  }
  probe.close();
  await once(probe, 'close');
}

/** Resolves to true when a server accepts connections on the port, or to false if `signal` aborts first. */
export async function waitForPort(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (await takesConnections(host, port)) return true;
    await sleep(50);
  }
  return false;
}

function takesConnections(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const answer = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
