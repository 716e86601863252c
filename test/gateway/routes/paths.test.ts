import { createComponentServer, createGateway } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { RecordingComponent } from '../../support/gateway/applications/recording-component.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';

/** The status that answers a WebSocket handshake for exactly these bytes. */
async function statusOf(port: number, target: string): Promise<string> {
  const raw = await RawSocket.open(port);
  const head = await raw.upgrade(target);
  raw.socket.destroy();
  return head.slice(9, 12);
}

describe('The path of a route', () => {
  const same: readonly [string, readonly string[], readonly string[]][] = [
    ['/événements', ['/%C3%A9v%C3%A9nements', '/%c3%a9v%c3%a9nements'], ['/evenements', '/%E9v%E9nements']],
    ['/%c3%a9', ['/%C3%A9'], ['/%25C3%25A9']],
    ["/it's", ["/it's", '/it%27s'], ['/its']],
    ['/a|b', ['/a|b', '/a%7Cb', '/a%7cb'], ['/a%2Fb', '/a/b']],
    ['/a%20b', ['/a%20b'], ['/a+b']],
    ['/a/b', ['/a/b', '/%61/b'], ['/a%2Fb', '/a%2fb', '//a/b', '/a//b', '/a/./b', '/a/c/../b', '/a/b/', '/A/b']],
    ['/日本', ['/%E6%97%A5%E6%9C%AC'], ['/']],
  ];
  for (const [path, reached, others] of same) {
    it(`[fault E3] ${path} is reached in every spelling`, async () => {
      const { port, http } = await startGateway({ routes: { one: { path } } });
      await PlainClient.open(`ws://127.0.0.1:${port}${path}`);
      for (const target of reached) expect(await statusOf(port, target), target).toBe('101');
      for (const target of others) expect(await statusOf(port, target), target).toBe('404');
      const stream = await fetch(http(path), { headers: { accept: 'text/event-stream' } });
      expect(stream.status).toBe(200);
      await stream.body?.cancel();
    });
  }

  it('[fault E3] is refused if no client can request it, or if another route has it', async () => {
    const log = `sqlite:${temporaryFolder()}/log.db`;
    for (const path of ['/a/../b', '/./a', '/%2e%2E/a']) {
      await expect(createGateway({ log, routes: { one: { path } } }), path).rejects.toThrow('clients resolve them');
    }
    const routes = { one: { path: '/é' }, two: { path: '/%c3%A9' } };
    await expect(createGateway({ log, routes })).rejects.toThrow('is already the path of the route one');
  });

  it('[fault E3] is reached in every spelling also if it is that of a component with parameters', async () => {
    const component = new RecordingComponent();
    const server = createComponentServer().mount('/salón/:room', component);
    afterTest(() => server.close({ timeoutMs: 1_000 }));
    const { port } = await server.listen({ port: 0 });
    for (const target of ['/sal%C3%B3n/caf%c3%a9', '/sal%c3%b3n/a%2Fb'])
      expect(await statusOf(port, target)).toBe('101');
    for (const target of ['/salon/a', '/sal%C3%B3n/%E9', '/sal%C3%B3n/'])
      expect(await statusOf(port, target)).toBe('404');
    await PlainClient.open(`ws://127.0.0.1:${port}/salón/é`);
  });
});
