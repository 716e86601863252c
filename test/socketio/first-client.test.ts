import { describe, expect, it } from 'vitest';
import { numbers, startGateway } from '../support/gateway/gateway.js';
import { SocketIoClient, WAYS } from '../support/gateway/socketio-client.js';

describe('Socket.IO is loaded by its first clients', () => {
  it('[I-1][I-2] who come all at once, in all ways, and miss nothing', async () => {
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

  it('a gateway that had none of them closes, and its server of Socket.IO is closed then', async () => {
    const { gateway, http } = await startGateway();
    const coming = fetch(http('/socket.io/?EIO=4&transport=polling')).then(
      ({ status }) => status,
      () => 503,
    );
    await gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
    // It was in time, or it is told that the gateway goes away.
    expect([200, 503]).toContain(await coming);
    const other = await startGateway();
    await other.gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
    expect(() => other.gateway.io.attach(0)).toThrow(/closed/);
  });

  it.each(['adapter', 'connectionStateRecovery', 'parser'])(
    'an option that is not to be chosen ends the start, not the first client: %s',
    async (name) => {
      await expect(startGateway({ socketIo: { [name]: {} } })).rejects.toThrow(`socketIo.${name}`);
    },
  );
});
