import { expect, it } from 'vitest';
import { openAdmin } from '../../../../../test/support/amqp-admin.js';
import { afterTest } from '../../../../../test/support/cleanup.js';
import { Inbox } from '../../../../../test/support/gateway/inbox.js';
import { startProcess } from '../../../../../test/support/processes.js';
import { deleteQueues, describeWithBroker, SHARED_BROKER, testNames } from '../../../../../test/support/rabbitmq.js';
import { openRabbitLog } from '../../../src/logs/rabbitmq/rabbitmq-log.js';

describeWithBroker('broadcasts that RabbitMQ refuses', () => {
  it('[I-8] due to an exchange of another type stop no process: it reports this once, and joins when it can', async () => {
    const { url, stream } = testNames();
    const exchange = `${stream}.ephemeral`;
    const admin = await openAdmin(SHARED_BROKER);
    afterTest(() => deleteQueues(SHARED_BROKER, [], [exchange]));
    await admin.do((channel) => channel.assertExchange(exchange, 'direct', { durable: true }));
    const script = `
      import { openRabbitLog } from './packages/server/dist/logs/rabbitmq/rabbitmq-log.js';
      const log = await openRabbitLog('${url}', { onWarning: ({ message }) => console.log(message) });
      const member = await log.ephemeral.join((text) => {
        member.send('heard ' + text);
        void log.close();
      });
      console.log('joined');`;
    const program = startProcess(['--input-type=module', '--eval', script]);
    await program.until(/joined/);
    const log = await openRabbitLog(url, { onWarning: () => {} });
    afterTest(() => log.close());
    const heard = new Inbox<string>();
    const member = await log.ephemeral.join((text) => heard.push(text));
    await admin.do((channel) => channel.deleteExchange(exchange));
    await expect
      .poll(
        () => {
          member.send('hello');
          return heard.all[0];
        },
        { timeout: 60_000 },
      )
      .toBe('heard hello');
    const { code, stdout } = await program.exited;
    expect(code).toBe(0);
    expect(stdout.match(/broadcasts do not reach other gateways for now: .*PRECONDITION/g)).toHaveLength(1);
  });
});
