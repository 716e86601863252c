import { connect } from 'amqplib';
import { expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { pregon } from '../../support/processes.js';
import { describeWithBroker, SHARED_BROKER, testNames } from '../../support/rabbitmq.js';

function bus(url: string, exchange: string) {
  return (...args: string[]) => pregon(['bus', ...args, `--exchange=${exchange}`, `--log=${url}`]);
}

describeWithBroker('pregon bus', () => {
  it('says what is missing, creates it, creates it again without harm, and deletes it only with --force', async () => {
    const { url, exchange, stream } = testNames();
    const command = bus(url, `${exchange}:${stream}-workers`);
    const what = [
      `exchange ${exchange}`,
      `stream ${stream}`,
      `stream ${stream}.keys`,
      `queue ${exchange}:${stream}-workers`,
    ];
    const missing = what.map((item) => `${item}: is missing\n`).join('');
    const present = what.map((item) => `${item}: ok\n`).join('');
    expect(await command('check')).toMatchObject({ code: 1, stdout: missing });
    for (let round = 0; round < 2; round++) {
      expect(await command('create')).toMatchObject({ code: 0, stdout: present, stderr: '' });
    }
    expect(await command('check')).toMatchObject({ code: 0, stdout: present });
    const refused = await command('drop');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    for (const item of what) expect(refused.stderr).toContain(item);
    expect(refused.stderr).not.toContain('guest:guest');
    expect(await command('check')).toMatchObject({ code: 0 });
    expect((await command('drop', '--force')).stdout.match(/dropped/g)?.length).toBe(4);
    expect(await command('check')).toMatchObject({ code: 1, stdout: missing });
  });

  it('reports existing queues and exchanges with wrong settings', async () => {
    const { url, exchange, stream } = testNames();
    const connection = await connect(SHARED_BROKER);
    afterTest(() => connection.close());
    const channel = await connection.createChannel();
    await channel.assertQueue(stream, { durable: true });
    await channel.assertExchange(exchange, 'direct');
    const { code, stdout } = await bus(url, exchange)('check');
    expect(code).toBe(1);
    expect(stdout).toMatch(/exchange .*current is 'direct'/);
    expect(stdout).toMatch(/stream .*'x-queue-type'/);
    expect(await bus(url, exchange)('create')).toMatchObject({ code: 1 });
  });

  it('accepts a fanout exchange', async () => {
    const { url, exchange } = testNames();
    const connection = await connect(SHARED_BROKER);
    afterTest(() => connection.close());
    await (await connection.createChannel()).assertExchange(exchange, 'fanout');
    expect(await bus(url, exchange)('create')).toMatchObject({ code: 0 });
  });
});

it('pregon bus has nothing to do for a log in a file', async () => {
  const { code, stdout } = await bus('sqlite:x.db', 'events')('check');
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') });
});
