import { connect } from 'amqplib';
import { expect, it } from 'vitest';
import { afterTest } from '../../../../../test/support/cleanup.js';
import { Inbox } from '../../../../../test/support/gateway/inbox.js';
import { numbered } from '../../../../../test/support/log/events.js';
import { describeWithBroker, type TestNames, testNames } from '../../../../../test/support/rabbitmq.js';
import { MAX_DELIVERIES } from '../../../src/core/ports/work-queue.js';
import { openRabbitLog, type RabbitLog } from '../../../src/logs/rabbitmq/rabbitmq-log.js';

interface Subject extends TestNames {
  readonly queue: string;
  readonly warnings: Inbox<string>;
  open(): Promise<RabbitLog>;
}

function subject(): Subject {
  const names = testNames();
  const queue = `${names.exchange}-workers`;
  const warnings = new Inbox<string>();
  afterTest(async () => {
    const connection = await connect(names.url);
    await (await connection.createChannel()).deleteQueue(queue);
    await connection.close();
  });
  const open = async () => {
    const onWarning = ({ message }: Error) => warnings.push(message);
    const log = await openRabbitLog(names.url, { exchanges: [names.exchange], onWarning });
    afterTest(() => log.close());
    return log;
  };
  return { ...names, queue, warnings, open };
}

describeWithBroker('a work queue on RabbitMQ', () => {
  it('delivers each event to one consumer, and keeps events while no consumer is connected', async () => {
    const { open, exchange, queue } = subject();
    const [first, second] = [await open(), await open()];
    const handled = new Inbox<string>();
    const handle = async ({ id }: { id: string }) => handled.push(id);
    const stops = [
      await first.queues.consume({ exchange, queue }, handle),
      await second.queues.consume({ exchange, queue }, handle),
    ];
    const events = Array.from({ length: 40 }, (_, n) => numbered(n, { exchange, id: `e${n}` }));
    await first.append(events.slice(0, 20));
    await handled.count(20);
    for (const stop of stops) await stop();
    await first.append(events.slice(20));
    expect(handled.all.length).toBe(20);
    await second.queues.consume({ exchange, queue }, handle);
    await handled.count(40);
    expect([...handled.all].sort()).toEqual(events.map(({ id }) => id).sort());
  });

  it('[I-2] delivers the unfinished event of a lost consumer again', async () => {
    const { open, exchange, queue } = subject();
    const [dies, lives] = [await open(), await open()];
    const begun = new Inbox<string>();
    const handled = new Inbox<string>();
    await dies.queues.consume({ exchange, queue }, ({ id }) => {
      begun.push(id);
      return new Promise(() => {});
    });
    await lives.append([numbered(1, { exchange, id: 'at hand' })]);
    await begun.count(1);
    await lives.queues.consume({ exchange, queue }, async ({ id }) => handled.push(id));
    await dies.close();
    expect(await handled.count(1)).toEqual(['at hand']);
  });

  it('retries an event whose handling fails, gives it up with a report, and continues with the next', async () => {
    const { open, exchange, queue, warnings } = subject();
    const log = await open();
    const tried = new Inbox<string>();
    await log.queues.consume({ exchange, queue }, async ({ id }) => {
      tried.push(id);
      if (id === 'bad') throw new Error('cannot be done');
    });
    await log.append([numbered(1, { exchange, id: 'bad' }), numbered(2, { exchange, id: 'good' })]);
    await tried.until(() => tried.all.filter((id) => id === 'bad').length === MAX_DELIVERIES, 'all tries');
    await tried.until(() => tried.all.includes('good'), 'the next event');
    await warnings.until(() => warnings.all.some((text) => /dropped after 5.*cannot be done/.test(text)), 'the report');
    expect(tried.all.filter((id) => id === 'bad').length).toBe(MAX_DELIVERIES);
  });

  it('lets the current event finish, once, when it is stopped', async () => {
    const { open, exchange, queue } = subject();
    const [log, other] = [await open(), await open()];
    const begun = new Inbox<string>();
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const stop = await log.queues.consume({ exchange, queue }, async ({ id }) => {
      begun.push(id);
      await finished;
    });
    await log.append([numbered(1, { exchange, id: 'one' }), numbered(2, { exchange, id: 'two' })]);
    await begun.count(1);
    const stopped = stop();
    finish();
    await stopped;
    const rest = new Inbox<string>();
    await other.queues.consume({ exchange, queue }, async ({ id }) => rest.push(id));
    expect(await rest.count(1)).toEqual(['two']);
    expect(begun.all).toEqual(['one']);
  });

  it('[000-11] handles messages of programs that do not know Pregon as events, and reports invalid ones', async () => {
    const { open, exchange, queue, url, warnings } = subject();
    const log = await open();
    const handled = new Inbox<unknown>();
    await log.queues.consume({ exchange, queue }, async ({ type, topic, data }) => handled.push({ type, topic, data }));
    const connection = await connect(url);
    const channel = await connection.createConfirmChannel();
    channel.publish(exchange, 'a.b', Buffer.from('{"x'), { contentType: 'application/cloudevents+json' });
    channel.publish(exchange, 'user.1', Buffer.from('{"name":"Ada"}'), { type: 'UserWasCreated' });
    await channel.waitForConfirms();
    await connection.close();
    expect(await handled.count(1)).toEqual([{ type: 'UserWasCreated', topic: 'user.1', data: { name: 'Ada' } }]);
    await warnings.until(() => warnings.all.some((text) => text.includes('a message was dropped')), 'the report');
  });

  it('is refused if the queue has another type', async () => {
    const { open, exchange, queue, url } = subject();
    const connection = await connect(url);
    await (await connection.createChannel()).assertQueue(queue, { durable: true });
    await connection.close();
    const log = await open();
    await expect(log.queues.consume({ exchange, queue }, async () => {})).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('not a quorum queue'),
    });
  });
});
