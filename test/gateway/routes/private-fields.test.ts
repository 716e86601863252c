import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { appender, numbers, openTestLog } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { SocketIoClient, WAYS } from '../../support/gateway/socketio-client.js';

const LATER_RELEASES = fileURLToPath(new URL('../../support/private-fields/later-releases.cjs', import.meta.url));

const RENAMED = [
  ...['_socket', '_receiver', '_extensions', '_checkNamespace', '_anyListeners', 'pid', 'clients', 'socket'],
  ...['cleanupFn', 'closeTimeout', 'onDataRequest', 'dataReq', 'onUpgradeError'],
];

const COUNT = 50;

/** A gateway on releases of its libraries that have renamed every private field that Pregon uses. */
async function start() {
  const folder = temporaryFolder();
  const renamed = join(folder, 'renamed');
  const logFile = join(folder, 'log.db');
  writeFileSync(renamed, '');
  const log = await openTestLog(logFile);
  const options = { log: `sqlite:${logFile}`, routes: { events: { path: '/events', compression: true } } };
  const environment = { PREGON_TEST_RENAMED: renamed };
  const gateway = await GatewayProcess.start(options, {}, { flags: ['--require', LATER_RELEASES], environment });
  const isRenamed = () => new Set(readFileSync(renamed, 'utf8').split('\n').filter(Boolean));
  return { gateway, append: appender(log), renamed: isRenamed };
}

describe('[I-1][I-2] Without the private fields of its libraries, a gateway serves', () => {
  it('a plain WebSocket and a compressed one', async () => {
    const { gateway, append } = await start();
    const clients = await Promise.all([
      PlainClient.open(gateway.ws('/events'), { perMessageDeflate: false }),
      PlainClient.open(gateway.ws('/events')),
    ]);
    await append(COUNT);
    for (const client of clients) expect(await client.numbers(COUNT)).toEqual(numbers(1, COUNT));
  });

  it('a client that sends frames, compressed and uncompressed, many in one piece', async () => {
    const { gateway, append } = await start();
    const plain = await FramesClient.open(gateway.ws('/events'), { perMessageDeflate: false });
    const compressing = await FramesClient.open(gateway.ws('/events'), { perMessageDeflate: { threshold: 0 } });
    for (const client of [plain, compressing]) {
      const answers = await Promise.all(numbers(1, COUNT).map((id) => client.subscribe({ id, topics: [`n.${id}`] })));
      expect(new Set(answers.map(({ op }) => op))).toEqual(new Set(['subscribed']));
    }
    await append(COUNT);
    for (const client of [plain, compressing]) {
      for (let id = 1; id <= COUNT; id++) expect(await client.numbers(id, 1)).toEqual([id]);
    }
  });

  it.each(WAYS)('Socket.IO by %s', async (_, transports) => {
    const { gateway, append, renamed } = await start();
    const client = await SocketIoClient.open(gateway.http('/events'), {
      transports: [...transports],
      auth: { names: 'event' },
    });
    await client.count('subscribed', 1);
    await append(COUNT);
    await client.count('event', COUNT);
    expect(client.numbers()).toEqual(numbers(1, COUNT));
    expect(await client.ask('subscribe', { topics: ['other.#'] })).toBeDefined();
    client.socket.disconnect();
    // Otherwise the test would prove nothing.
    expect([...renamed()].sort()).toEqual([...RENAMED].sort());
  });
});
