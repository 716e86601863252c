import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { type Admin, openAdmin } from '../../../../../test/support/amqp-admin.js';
import { afterTest } from '../../../../../test/support/cleanup.js';
import { DeafLink } from '../../../../../test/support/deaf-link.js';
import { numberedFrom } from '../../../../../test/support/log/events.js';
import { readAll } from '../../../../../test/support/log/recorder.js';
import { describeWithBroker, SHARED_BROKER, testNames } from '../../../../../test/support/rabbitmq.js';
import { parseRabbitAddress } from '../../../src/logs/rabbitmq/connection/address.js';
import type { AmqpConnection } from '../../../src/logs/rabbitmq/connection/amqp-connection.js';
import { RabbitConnection } from '../../../src/logs/rabbitmq/connection/connection.js';
import { toFence, toMessage } from '../../../src/logs/rabbitmq/messages/message.js';
import { ConfirmedPublisher } from '../../../src/logs/rabbitmq/publishing/confirmed-publisher.js';
import { openRabbitLog } from '../../../src/logs/rabbitmq/rabbitmq-log.js';
import { Topology } from '../../../src/logs/rabbitmq/topology.js';
import { encodeEvent } from '../../../src/logs/shared/encode.js';
import { ALL_ONCE_IN_ORDER, compare } from '../load.js';

const LARGE = 'x'.repeat(8_000);

/** Bindings that come some milliseconds late, once, like those of a broker that has just started. */
class LateTopology extends Topology {
  readonly #admin: Admin;
  readonly #lateMs: number;
  #late = true;

  constructor(stream: string, admin: Admin, lateMs: number) {
    super({ stream, retention: {}, exchanges: [] });
    this.#admin = admin;
    this.#lateMs = lateMs;
  }

  override async prepare(link: AmqpConnection, exchange: string): Promise<void> {
    await super.prepare(link, exchange);
    if (exchange === '' || !this.#late) return;
    this.#late = false;
    const stream = exchange.replace(/-events$/, '');
    await this.#admin.do((channel) => channel.unbindQueue(stream, exchange, '#'));
    void delay(this.#lateMs).then(() => this.#admin.do((channel) => channel.bindQueue(stream, exchange, '#')));
  }
}

describeWithBroker('publishing to RabbitMQ', () => {
  it('[I-1] keeps first copies in order if a fence was the first message on the channel and a binding comes late', async () => {
    const admin = await openAdmin(SHARED_BROKER);
    for (let round = 0; round < 10; round++) {
      const { url, stream, exchange } = testNames();
      const closing = new AbortController();
      const address = parseRabbitAddress(url);
      const connection = new RabbitConnection({
        address,
        purpose: 'test',
        refusable: true,
        signal: closing.signal,
        onWaiting: () => {},
        onConnected: () => {},
        onBlocked: () => {},
      });
      const publisher = new ConfirmedPublisher({
        connection,
        stream,
        topology: new LateTopology(stream, admin, 2 + 3 * round),
        timeoutMs: 10_000,
        signal: closing.signal,
        onRepeat: () => {},
      });
      afterTest(async () => {
        publisher.close();
        closing.abort();
        await connection.close();
      });
      const events = numberedFrom(1, 600, { exchange, data: LARGE }).map((event) => encodeEvent(event, 1_000_000));
      await Promise.all([
        publisher.publish([toFence(stream, 'fence')]),
        publisher.publish(events.map((event) => toMessage(event, stream))),
      ]);
      const log = await openRabbitLog(url, { exchanges: [exchange] });
      afterTest(() => log.close());
      expect(compare(await readAll(log), 600)).toEqual(ALL_ONCE_IN_ORDER);
    }
  });

  it('[I-10] is delayed for only some seconds by a first message without a confirm, even if that message was given up', async () => {
    const { url, exchange } = testNames();
    const other = testNames().exchange;
    const link = await DeafLink.open(5672);
    afterTest(() => link.close());
    const log = await openRabbitLog(`${url.replace(':5672/', `:${link.port}/`)}&heartbeat=60`, {
      exchanges: [exchange],
      appendTimeoutMs: 300,
      onState: () => {},
    });
    afterTest(() => log.close());
    await log.append(numberedFrom(1, 1, { exchange }), { points: false });
    link.deafenAt(/never confirmed/);
    const lost = log.append(numberedFrom(2, 2, { exchange: other, data: 'never confirmed' }), { points: false });
    await expect(lost).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await vi.waitFor(() => log.append(numberedFrom(3, 3, { exchange }), { points: false }), { timeout: 60_000 });
  });
});
