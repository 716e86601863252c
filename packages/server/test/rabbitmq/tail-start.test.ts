import { randomUUID } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import { expect, it } from 'vitest';
import { afterTest } from '../../../../test/support/cleanup.js';
import { numbered, numberedFrom } from '../../../../test/support/log/events.js';
import { readAll } from '../../../../test/support/log/recorder.js';
import { describeWithBroker, testNames } from '../../../../test/support/rabbitmq.js';
import { parseRabbitAddress } from '../../src/logs/rabbitmq/connection/address.js';
import { openAmqp } from '../../src/logs/rabbitmq/connection/amqp.js';
import { AmqpConnection } from '../../src/logs/rabbitmq/connection/amqp-connection.js';
import { toStreamEntry } from '../../src/logs/rabbitmq/messages/message.js';
import { openRabbitLog, type RabbitLog } from '../../src/logs/rabbitmq/rabbitmq-log.js';
import { Cursor } from '../../src/logs/rabbitmq/reading/cursor.js';
import { type Known, WARM_UP_ENTRIES } from '../../src/logs/rabbitmq/reading/known.js';
import { begin } from '../../src/logs/rabbitmq/reading/tail-start.js';

/** Offsets that a stream has skipped. */
async function holesOf(log: RabbitLog): Promise<Set<number>> {
  const offsets = (await readAll(log)).map(({ offset }) => offset);
  return new Set(offsets.slice(1).flatMap((offset, i) => (offset === (offsets[i] ?? 0) + 2 ? [offset - 1] : [])));
}

describeWithBroker('a reader of a RabbitMQ stream', () => {
  it('[I-3] knows that entries precede it if it begins at an offset that a segment roll skipped', async () => {
    const { url, stream, exchange } = testNames();
    const log = await openRabbitLog(url, { exchanges: [exchange], retention: { segmentBytes: 20_000 } });
    afterTest(() => log.close());
    await log.append([numbered(0, { exchange })]);
    for (let n = 1; n < WARM_UP_ENTRIES + 500; n += 100) {
      await log.append(numberedFrom(n, n + 99, { exchange }), { points: false });
    }
    const holes = await holesOf(log);
    const link = new AmqpConnection(await openAmqp(parseRabbitAddress(url), 'test'), () => {});
    afterTest(() => link.close());
    // If another segment roll happens in between, the test uses the next gap.
    for (let n = 20_000, from = 0; !holes.has(from); ) {
      for (let start = 0; !holes.has(start); n++) {
        const [point] = await log.append([numbered(n, { exchange })]);
        // The fence comes next, as the last chunk.
        start = (point?.offset ?? 0) + 1 - WARM_UP_ENTRIES;
      }
      const begun = await beginAt(link, stream);
      ({ from } = begun);
      if (holes.has(from)) expect(begun.known.judgedFrom).toBe(begun.known.entries.first + WARM_UP_ENTRIES / 2);
    }
  });
});

async function beginAt(link: AmqpConnection, stream: string): Promise<{ from: number; known: Known }> {
  const channel = await link.confirmChannel();
  const decode = (message: ConsumeMessage) => toStreamEntry(message, { stream, maxEventBytes: 1_000_000 });
  const asked: (number | 'first' | 'last')[] = [];
  const { cursor, known } = await begin(
    (from, prefetch = 1_000) => {
      asked.push(from);
      return Cursor.open(link, { stream, from, prefetch, decode });
    },
    {
      id: randomUUID(),
      publish: async (id) => {
        channel.publish('', stream, Buffer.from(id), { persistent: true, headers: { 'pregon-fence': id } });
        await channel.waitForConfirms();
      },
    },
    (known, entry) => void known.add(entry),
  );
  await cursor.close();
  return { from: asked.find((from) => typeof from === 'number') ?? 0, known };
}
