import { createGateway, openLog } from 'pregon';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { fold, TableApp } from '../../support/gateway/applications/table-app.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { appender } from '../../support/gateway/gateway.js';
import { createVirtualHost, describeWithBroker } from '../../support/rabbitmq.js';

/** More events than a gateway reads back at its start. */
const FAR = 12_000;

describeWithBroker('A snapshot over RabbitMQ', () => {
  let vhost: Awaited<ReturnType<typeof createVirtualHost>>;
  let streams = 0;

  beforeAll(async () => {
    vhost = await createVirtualHost();
  });
  afterAll(() => vhost.drop());

  async function startApp() {
    streams += 1;
    const url = `${vhost.url}?stream=snapshots-${streams}`;
    const log = await openLog(url, { exchanges: ['items'] });
    afterTest(() => log.close());
    return { url, log, app: await TableApp.start(log) };
  }

  async function startGateway(log: string, app: TableApp, exchanges = ['items']): Promise<string> {
    const routes = { items: { path: '/items', snapshot: app.url } };
    const gateway = await createGateway({ log, exchanges, routes });
    afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
    const { port } = await gateway.listen({ port: 0 });
    return `ws://127.0.0.1:${port}/items`;
  }

  it('[I-6] from a gateway that has just started and is behind comes at once; no change is missing or repeated', async () => {
    const { app, url } = await startApp();
    app.relay.start();
    let writing = true;
    let id = 0;
    const write = async () => {
      while (writing) {
        for (let n = 0; n < 20; n++) app.change((id++ % 50) + 1, id % 7 === 0 ? 'delete' : 'put');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const written = write();
    const clients: FramesClient[] = [];
    for (let round = 0; round < 3; round++) {
      const address = await startGateway(url, app);
      const opened = await Promise.all(Array.from({ length: 10 }, () => FramesClient.open(address)));
      await Promise.all(opened.map((client) => client.subscribe({ id: 1, snapshot: true })));
      clients.push(...opened);
    }
    writing = false;
    await written;
    const last = app.rows().get(0)?.change;
    for (const client of clients) {
      await client.frames.until(() => held(client).get(0)?.change === last, 'the last change');
      expect(held(client)).toEqual(app.rows());
      expect(changesOf(client)).toEqual(consecutive(client));
    }
  });

  it('[I-6] whose rows are ahead of a slow relay is sent once the log has caught up', async () => {
    const { app, url } = await startApp();
    const address = await startGateway(url, app);
    for (let id = 1; id <= 5; id++) app.change(id);
    const client = await FramesClient.open(address);
    const subscribed = client.subscribe({ id: 1, snapshot: true });
    await client.ask('{"op":"ping"}', 'pong');
    expect(client.controls('snapshot')).toEqual([]);
    app.relay.start();
    await subscribed;
    expect(client.events(1)).toEqual([]);
    app.change(6);
    await client.frames.until(() => client.events(1).length === 1, 'the next change');
    expect(held(client)).toEqual(app.rows());
  });

  it('[I-6] of a source that has long been quiet begins at the head', async () => {
    const { app, log, url } = await startApp();
    app.relay.start();
    for (let id = 1; id <= 5; id++) app.change(id);
    await expect.poll(() => app.snapshot().relayed).toBe(5);
    await appender(log)(FAR, { exchange: 'others' });
    for (const exchanges of [['items', 'others'], ['items']]) {
      const client = await FramesClient.open(await startGateway(url, app, exchanges));
      await client.subscribe({ id: 1, snapshot: true, topics: ['item.#'] });
      expect(client.events(1)).toEqual([]);
      app.change(6);
      await client.frames.until(() => client.events(1).length === 1, 'the next change');
      expect(held(client)).toEqual(app.rows());
    }
  });
});

function held(client: FramesClient) {
  const rows = client.controls('snapshot').flatMap((frame) => frame.rows);
  return fold(rows, client.events(1));
}

/** The numbers of the changes that arrived as events. */
function changesOf(client: FramesClient): number[] {
  return client.events(1).map(({ data }) => Number(Object(data).change));
}

/** The numbers that are expected: consecutive, beginning after the last change of the rows. */
function consecutive(client: FramesClient): number[] {
  const rows = client.controls('snapshot').flatMap((frame) => frame.rows);
  const first = (fold(rows, []).get(0)?.change ?? 0) + 1;
  return client.events(1).map((_, index) => first + index);
}
