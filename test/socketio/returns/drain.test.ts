import { describe, expect, it } from 'vitest';
import { startGateway } from '../../support/gateway/gateway.js';
import { within } from '../../support/gateway/inbox.js';
import { SocketIoClient, WAYS } from '../../support/gateway/socketio-client.js';

describe.each(WAYS)('A stock client by %s of a gateway that closes', (_, transports) => {
  it('[G-7][001-10] is told, leaves at its own moment as if the connection broke, and delays nothing', async () => {
    const { gateway, http, port, logFile, append } = await startGateway();
    const clients = await Promise.all(
      Array.from({ length: 5 }, () => SocketIoClient.open(http('/events'), { transports: [...transports] })),
    );
    for (const client of clients) await client.count('subscribed', 1);
    const left = clients.map(
      ({ socket }) =>
        new Promise<{ reason: string; at: number }>((resolve) => {
          socket.once('disconnect', (reason) => resolve({ reason, at: performance.now() }));
        }),
    );
    const began = performance.now();
    const closing = gateway.close({ spreadMs: 1_000, timeoutMs: 50_000 });
    for (const [at, client] of clients.entries()) {
      const draining = Object((await client.count('draining', 1))[0]?.[0]);
      const { reason, at: when } = await within(left[at] ?? Promise.reject(), 'the end of the connection');
      expect(reason).toBe('transport close');
      expect(when - began).toBeGreaterThan(draining.reconnectInMs - 50);
      expect(client.of('closing')[0]?.[0]).toMatchObject({ reconnect: true });
    }
    await closing;
    expect(performance.now() - began).toBeLessThan(40_000);
    await startGateway({ logFile, listen: { port } });
    for (const client of clients) await client.connected(2);
    await append(1);
    for (const client of clients) {
      await client.count('event', 1);
      expect(client.recovered).toEqual([false, true]);
    }
  });
});
