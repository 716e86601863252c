import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { appender, numbers, openTestLog } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { isLong } from '../../support/long.js';

const MIB = 1_048_576;
const ROW_BYTES = 1_024;
const SNAPSHOT_BYTES = (isLong ? 64 : 16) * MIB;
const TIMEOUT_MS = 120_000;

/** The most CPU time that one client may cause in one turn of the event loop. */
const TURN_MS = 20;

/** Starts an application that answers with this number of 1 KiB rows, 1 MiB at a time. */
async function startApplication(rows: number, after = '"sequence":0'): Promise<string> {
  const server = createServer((_, response) => void answer(response, rows, after));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
  return `http://127.0.0.1:${address.port}/snapshot`;
}

async function answer(response: ServerResponse, rows: number, after: string): Promise<void> {
  const closed = once(response, 'close');
  response.setHeader('content-type', 'application/json');
  response.write('{"rows":[');
  for (let n = 0; n < rows; n += 1_024) {
    const some = Array.from({ length: Math.min(1_024, rows - n) }, (_, i) => row(n + i));
    const isTaken = response.write(`${n === 0 ? '' : ','}${some.join(',')}`);
    if (!isTaken) await Promise.race([once(response, 'drain'), closed]);
    if (response.destroyed) return;
  }
  response.end(`],${after}}`);
}

function row(n: number): string {
  const start = `{"n":${n},"text":"`;
  return `${start}${'x'.repeat(ROW_BYTES - start.length - 3)}"}`;
}

async function start(snapshot: string, more: { maxSnapshotBytes?: number } = {}) {
  const file = join(temporaryFolder(), 'log.db');
  const append = appender(await openTestLog(file));
  const routes = { events: { path: '/events', snapshot } };
  const gateway = await GatewayProcess.start({ log: `sqlite:${file}`, routes, ...more });
  return { gateway, append };
}

function rowNumbers(client: FramesClient): unknown[] {
  return client.controls('snapshot').flatMap(({ rows }) => rows.map((one) => Reflect.get(Object(one), 'n')));
}

describe('A large snapshot from a URL', () => {
  it(
    '[fault A11] makes no long turn of the event loop, arrives whole, and keeps no process alive',
    async () => {
      const rows = SNAPSHOT_BYTES / ROW_BYTES;
      const { gateway, append } = await start(await startApplication(rows));
      const live = await FramesClient.open(gateway.ws('/events'));
      await live.subscribe({ id: 1 });
      const first = await FramesClient.open(gateway.ws('/events'));
      await first.subscribe({ id: 1, snapshot: true });
      await gateway.longestTurnMs();
      const client = await FramesClient.open(gateway.ws('/events'));
      client.send({ op: 'subscribe', id: 1, snapshot: true });
      await append(1);
      await live.numbers(1, 1);
      await client.control('subscribed', TIMEOUT_MS);
      expect(await gateway.longestTurnMs()).toBeLessThan(TURN_MS);
      expect(rowNumbers(client)).toEqual(numbers(0, rows - 1));
      await client.numbers(1, 1);
      await gateway.close({ spreadMs: 0 });
      expect(await gateway.exited).toMatchObject({ code: 0 });
    },
    TIMEOUT_MS,
  );

  it('[fault A11] is refused beyond maxSnapshotBytes', async () => {
    const { gateway } = await start(await startApplication(2_000), { maxSnapshotBytes: MIB });
    const client = await FramesClient.open(gateway.ws('/events'));
    const refused = { op: 'error', code: 'SNAPSHOT_UNAVAILABLE' };
    expect(await client.subscribe({ id: 1, snapshot: true })).toMatchObject(refused);
    expect(await client.subscribe({ id: 2 })).toMatchObject({ op: 'subscribed' });
  });

  it('that is not a valid snapshot is refused, and so is the next one; the gateway goes on', async () => {
    const { gateway } = await start(await startApplication(1_000, '"sequence":"none"'));
    const client = await FramesClient.open(gateway.ws('/events'));
    const refused = { op: 'error', code: 'SNAPSHOT_UNAVAILABLE' };
    expect(await client.subscribe({ id: 1, snapshot: true })).toMatchObject(refused);
    expect(await client.subscribe({ id: 2, snapshot: true })).toMatchObject(refused);
    expect(gateway.isRunning).toBe(true);
  });
});
