import { expect, it } from 'vitest';
import { openAdmin } from '../../../../test/support/amqp-admin.js';
import { afterTest } from '../../../../test/support/cleanup.js';
import { numbered, numberedFrom } from '../../../../test/support/log/events.js';
import { idOf, Recorder, readAll } from '../../../../test/support/log/recorder.js';
import { describeWithBroker, SHARED_BROKER, type TestNames, testNames } from '../../../../test/support/rabbitmq.js';
import { eventually } from '../../../../test/support/waiting.js';
import { openRabbitLog, type RabbitLog } from '../../src/logs/rabbitmq/rabbitmq-log.js';

const UNREAD = { points: false };

/** A handle on the log as in another process, with its warnings. */
async function open({ url }: TestNames): Promise<{ log: RabbitLog; warnings: string[] }> {
  const warnings: string[] = [];
  const log = await openRabbitLog(url, { onWarning: ({ message }) => warnings.push(message) });
  afterTest(() => log.close());
  return { log, warnings };
}

describeWithBroker('a log on RabbitMQ', () => {
  it('[fault C3] refuses a different event with an id that the same process has published, without reading the stream', async () => {
    const names = testNames();
    const { exchange } = names;
    const { log } = await open(names);
    await log.append(numberedFrom(1, 3, { exchange }), UNREAD);
    await log.append(numberedFrom(2, 4, { exchange }), UNREAD);
    const refused = { code: 'EVENT_ID_REUSED', retryable: false };
    const other = numbered(3, { exchange, data: 'other' });
    await expect(log.append([numbered(5, { exchange }), other], UNREAD)).rejects.toMatchObject(refused);
    await expect(
      log.append([numbered(6, { exchange }), numbered(6, { exchange, data: 'other' })], UNREAD),
    ).rejects.toMatchObject(refused);
    await log.append(numberedFrom(5, 6, { exchange }), UNREAD);
    expect((await readAll(log)).map(idOf)).toEqual(numberedFrom(1, 6).map(({ id }) => id));
  });

  it('[fault C3] refuses a different event with an id that another process has published, if it reads the stream', async () => {
    const names = testNames();
    const { exchange } = names;
    const [{ log }, { log: reading }] = [await open(names), await open(names)];
    await log.append(numberedFrom(1, 3, { exchange }), UNREAD);
    expect(await readAll(reading)).toHaveLength(3);
    const refused = { code: 'EVENT_ID_REUSED' };
    const other = numbered(2, { exchange, data: 'other' });
    for (const options of [{}, UNREAD]) await expect(reading.append([other], options)).rejects.toMatchObject(refused);
    const [again, next] = await reading.append([numbered(2, { exchange }), numbered(4, { exchange })]);
    expect((await readAll(reading)).map(({ offset }) => offset)).toEqual(
      expect.arrayContaining([again?.offset, next?.offset]),
    );
    expect((await readAll(log)).map(idOf)).toEqual(numberedFrom(1, 4).map(({ id }) => id));
  });

  it('[fault C3] reports and counts the dropped event in every reader if no publisher could know of the other', async () => {
    const names = testNames();
    const { exchange } = names;
    const [first, second, reader] = [await open(names), await open(names), await open(names)];
    const recorder = new Recorder();
    reader.log.follow(await reader.log.head(), recorder);
    await first.log.append(numberedFrom(1, 3, { exchange }), UNREAD);
    await second.log.append(
      [numbered(2, { exchange, data: 'other' }), numbered(3, { exchange }), numbered(4, { exchange })],
      UNREAD,
    );
    await recorder.untilCount(4);
    await eventually(
      () => reader.log.counters,
      ({ poisoned }) => poisoned > 0,
    );
    expect(recorder.ids).toEqual(numberedFrom(1, 4).map(({ id }) => id));
    expect(reader.log.counters).toMatchObject({ poisoned: 1, duplicates: 2 });
    expect(reader.warnings).toEqual([expect.stringMatching(/another event, at offset \d+, has its id and source/)]);
  });

  it('[fault C3] counts each dropped event, however many there are at once', async () => {
    const names = testNames();
    const { exchange } = names;
    const [first, second, reader] = [await open(names), await open(names), await open(names)];
    const recorder = new Recorder();
    reader.log.follow(await reader.log.head(), recorder);
    await first.log.append(numberedFrom(1, 50, { exchange }), UNREAD);
    await second.log.append(numberedFrom(1, 51, { exchange, data: 'other' }), UNREAD);
    await recorder.untilCount(51);
    await eventually(
      () => reader.log.counters,
      ({ poisoned }) => poisoned === 50,
    );
  });

  it('[fault C4] refuses the events of an unusable exchange at once, with an error code, and no others', async () => {
    const names = testNames();
    const admin = await openAdmin(SHARED_BROKER);
    const [direct, internal] = [`${names.exchange}-direct`, `${names.exchange}-internal`];
    await admin.do((channel) => channel.assertExchange(direct, 'direct', { durable: true }));
    await admin.do((channel) => channel.assertExchange(internal, 'topic', { durable: true, internal: true }));
    afterTest(() =>
      admin.do(async (channel) => [await channel.deleteExchange(direct), await channel.deleteExchange(internal)]),
    );
    const { log } = await open(names);
    await log.append([numbered(1, { exchange: names.exchange })]);
    for (const exchange of [direct, internal]) {
      const appends = [
        log.append([numbered(2, { exchange })], UNREAD),
        log.append([numbered(3, { exchange: names.exchange })], UNREAD),
      ];
      await expect(appends[0]).rejects.toMatchObject({ code: 'EXCHANGE_UNUSABLE', retryable: false });
      await appends[1];
    }
    // The refused event was not published, so another event may have its id.
    await log.append([numbered(2, { exchange: names.exchange, data: 'other' })]);
    expect((await readAll(log)).map(idOf)).toEqual(['event-1', 'event-3', 'event-2']);
  });
});
