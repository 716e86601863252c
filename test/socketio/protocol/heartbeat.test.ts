import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { appender, numbers, openTestLog, startGateway } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { within } from '../../support/gateway/inbox.js';
import { SocketIoClient, WAYS } from '../../support/gateway/socketio-client.js';
import { stablePort } from '../../support/ports.js';
import { type RunningProcess, startProcess } from '../../support/processes.js';
import { eventually } from '../../support/waiting.js';

const STOCK_CLIENT = fileURLToPath(new URL('../../support/socketio/stock-process.mjs', import.meta.url));

/** A stock client in its own process, which prints one line for each event. */
function startClient(url: string, options: object): RunningProcess {
  return startProcess([STOCK_CLIENT, url, JSON.stringify({ reconnectionDelay: 20, ...options })]);
}

function numbersOf({ stdoutLines }: RunningProcess): number[] {
  return stdoutLines.flatMap((line) => {
    const [name, n] = JSON.parse(line);
    return name === 'event' ? [Number(n)] : [];
  });
}

// The third way begins like the second and ends like the first.
describe.each(WAYS)('A stock client by %s', (_, transports) => {
  it('[001-12][003-14] that is suspended is noticed, and gets the missed events when it goes on', async () => {
    const { gateway, http, append } = await startGateway({ socketIo: { pingInterval: 1_000, pingTimeout: 1_000 } });
    const reasons: string[] = [];
    gateway.io.of('/events').on('connection', (socket) => socket.on('disconnect', (reason) => reasons.push(reason)));
    const client = startClient(http('/events'), { transports });
    await client.until(/"connect"/);
    await append(10);
    await client.until(/\["event",10\]/);
    client.signal('SIGSTOP');
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === 0,
    );
    expect(reasons.at(-1)).toBe('ping timeout');
    await append(10);
    client.signal('SIGCONT');
    await client.until(/\["event",20\]/);
    await append(10);
    await client.until(/\["event",30\]/);
    expect(numbersOf(client)).toEqual(numbers(1, 30));
    expect(client.stdout).toContain('["connect",true]');
  });

  it('[001-12][001-10] notices that the gateway is suspended, and reconnects when it goes on', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const append = appender(await openTestLog(logFile));
    const gateway = await GatewayProcess.start({ log: `sqlite:${logFile}`, heartbeatMs: 300 });
    const client = await SocketIoClient.open(gateway.http('/events'), {
      transports: [...transports],
      auth: { names: 'event' },
    });
    await client.count('subscribed', 1);
    await append(10);
    await client.count('event', 10);
    const noticed = new Promise((resolve) => client.socket.once('disconnect', resolve));
    gateway.signal('SIGSTOP');
    afterTest(() => gateway.signal('SIGCONT'));
    expect(await within(noticed, 'the client to notice', 10_000)).toBe('ping timeout');
    await append(10);
    gateway.signal('SIGCONT');
    await client.connected(2);
    await append(10);
    await client.count('event', 30);
    expect(client.numbers()).toEqual(numbers(1, 30));
    expect(client.recovered).toEqual([false, true]);
  });

  it('[003-14] that was killed is noticed', async () => {
    const { gateway, http } = await startGateway({ socketIo: { pingInterval: 500, pingTimeout: 500 } });
    const gone: unknown[] = [];
    gateway.io.of('/events').on('connection', (socket) => {
      socket.on('disconnect', (reason) => gone.push(socket.id, reason));
    });
    const client = startClient(http('/events'), { transports });
    await client.until(/"connect"/);
    const [id] = gateway.io.of('/events').sockets.keys();
    await client.kill('SIGKILL');
    await eventually(
      () => gone,
      ([who, reason]) => who === id && /^(transport|ping)/.test(String(reason)),
      5_000,
    );
    expect(gateway.connections('events').count).toBe(0);
  });

  it('[001-09] stays connected as long as neither side ends it', async () => {
    const { gateway, http, append } = await startGateway({ socketIo: { pingInterval: 100, pingTimeout: 2_000 } });
    const client = await SocketIoClient.open(http('/events'), { transports: [...transports] });
    const beats: unknown[] = [];
    client.socket.io.engine.on('heartbeat', () => beats.push(1));
    await eventually(
      () => beats.length,
      (count) => count >= 15,
    );
    await append(1);
    await client.count('event', 1);
    expect(client.recovered).toEqual([false]);
    const [socket] = gateway.io.of('/events').sockets.values();
    const ended = new Promise((resolve) => socket?.once('disconnect', resolve));
    client.socket.disconnect();
    expect(await within(ended, 'the end of the connection')).toBe('client namespace disconnect');
  });
});

describe('A stock client whose gateway is away', () => {
  it('[003-13][001-10] retries at growing intervals, and reconnects when the gateway is back', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const port = await stablePort();
    const first = await GatewayProcess.start({ log: `sqlite:${logFile}` }, { port });
    const client = await SocketIoClient.open(first.http('/events'), {
      reconnectionDelay: 100,
      reconnectionDelayMax: 5_000,
      randomizationFactor: 0,
    });
    await client.count('subscribed', 1);
    const attempts: number[] = [];
    client.socket.io.on('reconnect_attempt', () => attempts.push(performance.now()));
    const left = new Promise((resolve) => client.socket.once('disconnect', resolve));
    await first.kill();
    expect(await within(left, 'the end of the connection')).toMatch(/transport/);
    await eventually(
      () => attempts.length,
      (count) => count >= 5,
    );
    const between = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    for (const [index, waited] of between.entries()) {
      expect(waited).toBeGreaterThan(0.9 * 100 * 2 ** (index + 1));
    }
    await GatewayProcess.start({ log: `sqlite:${logFile}` }, { port });
    await client.connected(2);
    expect(client.recovered).toEqual([false, true]);
  });

  it('[001-10] reconnects each time that the server drops its connection, but not if the server disconnects it', async () => {
    const { gateway, http, append } = await startGateway();
    const events = gateway.io.of('/events');
    const client = await SocketIoClient.open(http('/events'), { auth: { names: 'event' } });
    await client.count('subscribed', 1);
    for (let times = 1; times <= 5; times++) {
      const [socket] = events.sockets.values();
      socket?.conn.close();
      await append(10);
      await client.connected(times + 1);
    }
    await client.count('event', 50);
    expect(client.numbers()).toEqual(numbers(1, 50));
    const sentAway = new Promise((resolve) => client.socket.once('disconnect', resolve));
    events.disconnectSockets(true);
    expect(await within(sentAway, 'the end of the connection')).toBe('io server disconnect');
    expect(client.socket.active).toBe(false);
  });
});
