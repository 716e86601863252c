import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { openLog } from 'pregon';
import { expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { numberedEvent } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { freePort } from '../../support/ports.js';
import { pregon, startPregon } from '../../support/processes.js';
import { describeWithBroker, describeWithOwnBroker, SHARED_BROKER, testNames } from '../../support/rabbitmq.js';

/** Writes a line for each event that it begins. The event `hang` never ends in the process that begins it first. */
const SUBSCRIBER = `
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
export default {
  events: ['*'],
  async handle({ id }) {
    appendFileSync('handled', process.pid + ' ' + id + '\\n');
    if (id !== 'events-hang' || existsSync('hanging')) return;
    writeFileSync('hanging', '');
    await new Promise(() => {});
  },
};`;

describeWithBroker('pregon on RabbitMQ', () => {
  it('shares the events of exchange:queue between two gateways, even if one is killed; connections of both get every event', async () => {
    const { url, exchange } = testNames();
    const queue = `${exchange}-workers`;
    afterTest(() => deleteQueue(queue));
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'work.mjs'), SUBSCRIBER);
    writeFileSync(join(cwd, 'handled'), '');
    writeFileSync(
      join(cwd, 'pregon.yml'),
      'subscribers: [./work.mjs]\nwebsocket: { routes: { events: { path: /events } } }\n',
    );
    const start = async () => {
      const flags = [`--exchange=${exchange}:${queue}`, `--log=${url}`, '--drain-ms=500'];
      const gateway = startPregon(['run', '127.0.0.1:0', '--route=events', ...flags], { cwd });
      // Registered before the deletion of the queues, because a running gateway would create them again.
      afterTest(async () => void (await gateway.kill('SIGKILL')));
      const [, port] = await gateway.until(/listens on 127\.0\.0\.1:(\d+) /);
      return { gateway, client: await PlainClient.open(`ws://127.0.0.1:${port}/events`) };
    };
    const places = [await start(), await start()];
    const handled = () =>
      readFileSync(join(cwd, 'handled'), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => line.split(' '));
    const idsHandled = () => handled().map(([, id]) => id);

    const log = await openLog(url, { exchanges: [exchange] });
    afterTest(() => log.close());
    const events = Array.from({ length: 30 }, (_, n) => ({ ...numberedEvent(n, { exchange }), id: `events-${n}` }));
    await log.append(events);
    await expect.poll(() => [...idsHandled()].sort()).toEqual(events.map(({ id }) => id).sort());
    expect(new Set(handled().map(([pid]) => pid)).size).toBe(2);

    await log.append([{ ...numberedEvent(30, { exchange }), id: 'events-hang' }]);
    await expect.poll(idsHandled).toContain('events-hang');
    const [busy] = handled().find(([, id]) => id === 'events-hang') ?? [];
    for (const { client } of places) await client.events.count(31);
    await places.find(({ gateway }) => String(gateway.pid) === busy)?.gateway.kill('SIGKILL');
    const again = () => handled().filter(([, id]) => id === 'events-hang');
    await expect.poll(() => again().length).toBe(2);
    expect(new Set(again().map(([pid]) => pid)).size).toBe(2);
    expect(idsHandled().length).toBe(32);
  });

  it('reports wrong credentials in one line, without the password, and exits with code 1', async () => {
    const log = SHARED_BROKER.replace('guest:guest', 'guest:geheim');
    const { code, stderr, stdout } = await pregon(['run', '0', '--route=events', '--exchange=x'], {
      env: { PREGON_LOG: log },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^pregon: RabbitMQ at 127\.0\.0\.1:5672 refused user "guest".*\n$/);
    expect(stdout + stderr).not.toContain('geheim');
  });
});

it('pregon says for which broker it waits if RabbitMQ is down at its start, and can be stopped', async () => {
  const port = await freePort();
  const gateway = startPregon(['run', '127.0.0.1:0', '--route=events', '--exchange=x'], {
    env: { PREGON_LOG: `amqp://me:geheim@127.0.0.1:${port}` },
  });
  await gateway.until(new RegExp(`waiting for RabbitMQ at 127\\.0\\.0\\.1:${port}`));
  const { code, stdout, stderr } = await gateway.kill('SIGTERM');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toContain('geheim');
  expect(stdout.match(/waiting for RabbitMQ/g)?.length).toBe(1);
});

describeWithOwnBroker('pregon with a broker that starts later', (broker) => {
  it('waits for it, and is ready once it is there', async () => {
    await broker.stop();
    const log = `${broker.url}/?stream=later`;
    const gateway = startPregon(['run', '127.0.0.1:0', '--route=events', '--exchange=later', `--log=${log}`]);
    await gateway.until(/waiting for RabbitMQ at 127\.0\.0\.1:\d+/);
    await broker.start();
    const [, port] = await gateway.until(/listens on 127\.0\.0\.1:(\d+) /, { deadlineMs: 30_000 });
    expect(gateway.stdout).toMatch(/connected to RabbitMQ/);
    const client = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    const published = await pregon(['publish', 'later', 'a.b', '{}', '--type=Came', `--log=${log}`]);
    expect(published.code).toBe(0);
    expect(await client.events.count(1)).toMatchObject([{ type: 'Came', exchange: 'later' }]);
  });
});

async function deleteQueue(queue: string): Promise<void> {
  const connection = await connect(SHARED_BROKER);
  await (await connection.createChannel()).deleteQueue(queue);
  await connection.close();
}
