import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/cleanup.js';
import { numbers, startGateway } from '../support/gateway/gateway.js';
import { SocketIoClient, WAYS } from '../support/gateway/socketio-client.js';
import { startProcess } from '../support/processes.js';

describe('Socket.IO, which is loaded for its first client,', () => {
  it('[I-1][I-2] serves clients that come all at once, on all transports, without a loss', async () => {
    const { http, append } = await startGateway();
    await append(5);
    const clients = WAYS.flatMap(([, transports]) =>
      numbers(1, 5).map(
        () =>
          new SocketIoClient(http('/events'), {
            transports: [...transports],
            auth: { names: 'event', since: 'first' },
          }),
      ),
    );
    for (const client of clients) await client.connected();
    await append(5);
    for (const client of clients) {
      await client.count('event', 10);
      expect(client.numbers()).toEqual(numbers(1, 10));
    }
  });

  it('is also closed by a gateway that had no such client', async () => {
    const { gateway, http } = await startGateway();
    const coming = fetch(http('/socket.io/?EIO=4&transport=polling')).then(
      ({ status }) => status,
      () => 503,
    );
    await gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
    // The client came in time, or it is told that the gateway is closing.
    expect([200, 503]).toContain(await coming);
    const other = await startGateway();
    await other.gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
    expect(() => other.gateway.io.attach(0)).toThrow(/closed/);
  });

  it('is not loaded for a client of a refused origin, by poll or by upgrade, but for the next one of an allowed origin', async () => {
    const script = `
      import { createRequire } from 'node:module';
      import { connect } from 'node:net';
      import { once } from 'node:events';
      import { createGateway } from './packages/server/dist/index.js';
      const { cache } = createRequire(import.meta.url);
      const isLoaded = () => Object.keys(cache).some((file) => file.includes('/engine.io/'));
      const gateway = await createGateway({ log: 'sqlite:${temporaryFolder()}/log.db', routes: { events: { path: '/events' } } });
      const { port } = await gateway.listen({ port: 0 });
      const url = 'http://127.0.0.1:' + port + '/socket.io/?EIO=4&transport=polling';
      const evil = { origin: 'https://evil.example' };
      const poll = await fetch(url, { headers: evil });
      const socket = connect(port, '127.0.0.1');
      socket.write('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\\r\\nHost: localhost\\r\\nOrigin: https://evil.example\\r\\n'
        + 'Connection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n');
      const [head] = await once(socket, 'data');
      console.log(JSON.stringify([poll.status, String(head).slice(9, 12), isLoaded()]));
      const { status } = await fetch(url);
      console.log(JSON.stringify([status, isLoaded()]));
      await gateway.close({ spreadMs: 0, timeoutMs: 500 });`;
    const { stdout, code } = await startProcess(['--input-type=module', '--eval', script]).exited;
    expect([
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
      code,
    ]).toEqual([
      [
        [403, '403', false],
        [200, true],
      ],
      0,
    ]);
  });

  it('[I-7] answers each client with 503 if it refuses an option, which is logged once', async () => {
    const lines: string[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (_: object, line: string) => void lines.push(line) };
    const { http } = await startGateway({ socketIo: { wsEngine: 'no constructor' }, logger });
    const poll = () => fetch(http('/socket.io/?EIO=4&transport=polling'));
    const statuses = (await Promise.all(numbers(1, 20).map(poll))).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect((await poll()).status).toBe(503);
    expect(lines).toEqual(['a Socket.IO client could not be served']);
  });

  it.each(['adapter', 'connectionStateRecovery', 'parser'])(
    'lets the start fail, not the first client, if an option must not be set: %s',
    async (name) => {
      await expect(startGateway({ socketIo: { [name]: {} } })).rejects.toThrow(`socketIo.${name}`);
    },
  );
});
