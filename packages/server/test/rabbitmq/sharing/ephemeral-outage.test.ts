import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { afterTest } from '../../../../../test/support/cleanup.js';
import { Inbox } from '../../../../../test/support/gateway/inbox.js';
import { describeWithOwnBroker } from '../../../../../test/support/rabbitmq.js';
import { MAX_EPHEMERAL_BYTES } from '../../../src/core/ports/ephemeral.js';
import type { RabbitState } from '../../../src/logs/rabbitmq/options.js';
import { openRabbitLog } from '../../../src/logs/rabbitmq/rabbitmq-log.js';

// A broker takes some seconds to start, more on a busy machine.
const DEADLINE_MS = 180_000;
vi.setConfig({ testTimeout: 4 * DEADLINE_MS });

describeWithOwnBroker('broadcasts over RabbitMQ, in an outage,', (broker) => {
  it('[I-7] are bounded, dropped and counted while the broker is down, and members reconnect by themselves', async () => {
    let outages = 0;
    const onState = ({ state }: RabbitState) => {
      if (state === 'waiting') outages += 1;
    };
    const open = async () => {
      const log = await openRabbitLog(`${broker.url}/?stream=broadcasts`, { onState, onWarning: () => {} });
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
    await expect.poll(() => from.dropped, { timeout: DEADLINE_MS }).toBeGreaterThanOrEqual(30);
    // A member that joins during an outage does not wait for its end.
    const late = await here.ephemeral.join(() => {});
    await expect.poll(() => outages, { timeout: DEADLINE_MS }).toBe(2);
    for (let n = 0; n < 5; n++) {
      await here.ephemeral.join(() => {});
      await delay(100);
    }
    await broker.start();
    await expect
      .poll(
        () => {
          from.send('after');
          return heard.all.at(-1);
        },
        { timeout: DEADLINE_MS },
      )
      .toBe('after');
    late.send('from one who joined meanwhile');
    await heard.until(() => heard.all.includes('from one who joined meanwhile'), 'the late one', DEADLINE_MS);
  });
});
