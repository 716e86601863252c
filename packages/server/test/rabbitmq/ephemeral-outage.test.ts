import { expect, it } from 'vitest';
import { Inbox } from '../../../../test/support/gateway/inbox.js';
import { afterTest, describeWithOwnBroker } from '../../../../test/support/rabbitmq.js';
import { MAX_EPHEMERAL_BYTES } from '../../src/core/ephemeral.js';
import { openRabbitLog } from '../../src/log/rabbitmq/rabbitmq-log.js';

describeWithOwnBroker('RabbitMQ: broadcasts and outages', (broker) => {
  it('[I-7] members come back by themselves; what is sent while the broker is away is bounded, dropped and counted', async () => {
    const open = async () => {
      const log = await openRabbitLog(`${broker.url}/?stream=broadcasts`, { onState: () => {}, onWarning: () => {} });
      afterTest(() => log.close());
      return log;
    };
    const [here, there] = [await open(), await open()];
    const heard = new Inbox<string>();
    const from = await here.ephemeral.join(() => {});
    await there.ephemeral.join((text) => heard.push(text));
    from.send('before');
    await heard.count(1);
    await broker.kill();
    const large = 'x'.repeat(MAX_EPHEMERAL_BYTES / 4);
    for (let n = 0; n < 40; n++) from.send(large);
    await expect.poll(() => from.dropped, { timeout: 10_000 }).toBeGreaterThanOrEqual(30);
    const late = await here.ephemeral.join(() => {});
    await broker.start();
    await expect
      .poll(
        () => {
          from.send('after');
          return heard.all.at(-1);
        },
        { timeout: 30_000 },
      )
      .toBe('after');
    late.send('from one who joined meanwhile');
    await heard.until(() => heard.all.includes('from one who joined meanwhile'), 'the late one', 20_000);
  }, 90_000);
});
