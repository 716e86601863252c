import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { within } from '../../support/gateway/inbox.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { resetConnections } from '../../support/gateway/resets.js';
import { isRunning, Workers } from '../../support/gateway/workers.js';
import { byLength, isLong } from '../../support/long.js';

/** For each of the four ways to run a gateway: 100,000 in all. */
const RESETS = byLength({ quick: 500, check: 1_500, long: 25_000 });

const TIMEOUT_MS = isLong ? 600_000 : 60_000;

const ATTACHED = fileURLToPath(new URL('../../support/gateway/applications/attached-process.mjs', import.meta.url));

const log = () => `sqlite:${temporaryFolder()}/log.db`;

/** A process that has a gateway attached to its server; its port, and whether it still runs. */
async function startAttached(how: object) {
  const child = fork(ATTACHED, [JSON.stringify({ log: log(), ...how })]);
  afterTest(() => child.kill('SIGKILL'));
  const [said] = await within(once(child, 'message'), 'an application with a gateway');
  return { child, port: Number(Reflect.get(Object(said), 'port')), isRunning: () => child.exitCode === null };
}

async function letsIn(port: number): Promise<void> {
  const client = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
  client.socket.terminate();
}

describe('Connections that are reset', () => {
  it('[fault A1] do not end a gateway process', { timeout: TIMEOUT_MS }, async () => {
    const gateway = await GatewayProcess.start({ log: log() });
    expect(await resetConnections(gateway.port, RESETS)).toBe(RESETS);
    await letsIn(gateway.port);
    expect(gateway.isRunning).toBe(true);
  });

  it('[fault A1] do not end an application that a gateway is attached to', { timeout: TIMEOUT_MS }, async () => {
    const application = await startAttached({});
    expect(await resetConnections(application.port, RESETS)).toBe(RESETS);
    await letsIn(application.port);
    expect(application.isRunning()).toBe(true);
  });

  it('[fault A1] do not end an application while they wait for its gateway to start', async () => {
    const application = await startAttached({ early: true });
    expect(await resetConnections(application.port, 500)).toBe(500);
    const ready = once(application.child, 'message');
    application.child.send('build');
    await within(ready, 'a gateway that is ready');
    await letsIn(application.port);
    expect(application.isRunning()).toBe(true);
  });

  it('[fault A1] do not end any worker', { timeout: TIMEOUT_MS }, async () => {
    const workers = await Workers.start();
    const before = await workers.untilPids(2);
    expect(await resetConnections(workers.port, RESETS)).toBe(RESETS);
    await letsIn(workers.port);
    expect(workers.pids()).toEqual(before);
    expect(before.every(isRunning)).toBe(true);
  });

  it('[fault A1] do not end a gateway that is still draining its clients', { timeout: TIMEOUT_MS }, async () => {
    let sent = 0;
    while (sent < RESETS) {
      const gateway = await GatewayProcess.start({ log: log() });
      // This client never answers the close frame, so draining takes its full time.
      await (await RawSocket.open(gateway.port)).upgrade('/events');
      const closed = gateway.close({ spreadMs: 0, timeoutMs: 10_000 });
      sent += await resetConnections(gateway.port, 1_000);
      await closed;
      expect(await within(gateway.exited, 'the end of the process')).toEqual({ code: 0, signal: null });
    }
  });
});
