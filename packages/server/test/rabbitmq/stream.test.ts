import { expect, it } from 'vitest';
import { openAdmin } from '../../../../test/support/amqp-admin.js';
import { afterTest } from '../../../../test/support/cleanup.js';
import { numbered, numberedFrom } from '../../../../test/support/log/events.js';
import { idOf, Recorder, readAll } from '../../../../test/support/log/recorder.js';
import { deleteQueues, describeWithBroker, SHARED_BROKER, testNames } from '../../../../test/support/rabbitmq.js';
import { PageReader } from '../../src/core/catch-up/page-reader.js';
import { systemClock } from '../../src/core/time/clock.js';
import type { RabbitLogOptions } from '../../src/logs/rabbitmq/options.js';
import { openRabbitLog, type RabbitLog } from '../../src/logs/rabbitmq/rabbitmq-log.js';
import { positionsOf } from '../../src/logs/secrets/position-codec.js';

async function open(url: string, options?: RabbitLogOptions): Promise<RabbitLog> {
  const log = await openRabbitLog(url, options);
  afterTest(() => log.close());
  return log;
}

describeWithBroker('a log on RabbitMQ', () => {
  it('creates and binds the stream and its exchanges, with the given retention', async () => {
    const { url, stream, exchange } = testNames();
    const log = await open(url, {
      exchanges: [exchange],
      retention: { maxBytes: 5_000_000, maxAgeMs: 90_500, segmentBytes: 500_000 },
    });
    const admin = await openAdmin(SHARED_BROKER);
    // The broker accepts an identical declaration, but not a different one.
    const args = { 'x-queue-type': 'stream', 'x-max-length-bytes': 5_000_000, 'x-max-age': '91s' };
    await admin.do((channel) =>
      channel.assertQueue(stream, {
        durable: true,
        arguments: { ...args, 'x-stream-max-segment-size-bytes': 500_000 },
      }),
    );
    await admin.do((channel) => channel.assertExchange(exchange, 'topic', { durable: true }));
    await admin.publish(exchange, 'number.1.said', '1', { type: 'NumberWasSaid' });
    expect((await readAll(log)).map(({ topic }) => topic)).toEqual(['number.1.said']);
  });

  it('uses existing objects as they are: a stream with other arguments, a fanout exchange', async () => {
    const { url, stream, exchange } = testNames();
    const admin = await openAdmin(SHARED_BROKER);
    await admin.do(async (channel) => {
      await channel.assertQueue(stream, { durable: true, arguments: { 'x-queue-type': 'stream', 'x-max-age': '7D' } });
      await channel.assertExchange(exchange, 'fanout', { durable: false });
    });
    const log = await open(url, { exchanges: [exchange] });
    const points = await log.append(numberedFrom(1, 3, { exchange }));
    expect((await readAll(log)).map(({ offset }) => offset)).toEqual(points.map(({ offset }) => offset));
  });

  it('refuses a queue that is not a stream, and a direct exchange, and says what they are', async () => {
    const { url, stream, exchange } = testNames();
    const admin = await openAdmin(SHARED_BROKER);
    await admin.do(async (channel) => {
      await channel.assertQueue(stream, { durable: true });
      await channel.assertExchange(exchange, 'direct', { durable: true });
    });
    await expect(openRabbitLog(url)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `the queue "${stream}" is not a stream: delete it or name another`,
    });
    const other = testNames();
    await expect(openRabbitLog(other.url, { exchanges: [exchange] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('is a direct exchange'),
    });
    const log = await open(other.url);
    const refused = log.append([numbered(1, { exchange })]);
    const taken = log.append([numbered(2, { exchange: other.exchange })]);
    await expect(refused).rejects.toMatchObject({ code: 'EXCHANGE_UNUSABLE' });
    expect(await taken).toHaveLength(1);
  });

  it('reports wrong credentials and a wrong vhost at once, without the password', async () => {
    const started = performance.now();
    for (const [url, words] of [
      ['amqp://guest:sesame@127.0.0.1:5672', /refused user "guest": the name or the password is wrong/],
      ['amqp://nobody:sesame@127.0.0.1:5672', /refused user "nobody"/],
      ['amqp://guest:guest@127.0.0.1:5672/sesame-street', /refused vhost "sesame-street": it does not exist, or/],
    ] as const) {
      const error: unknown = await openRabbitLog(url).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', retryable: false, message: expect.stringMatching(words) });
      expect(String(error)).not.toContain(':sesame');
    }
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('[I-10] publishes an unrouted event again until it is routed', async () => {
    const { url, stream, exchange } = testNames();
    const log = await open(url, { exchanges: [exchange] });
    const admin = await openAdmin(SHARED_BROKER);
    await log.append([numbered(1, { exchange })]);
    await admin.do((channel) => channel.unbindQueue(stream, exchange, '#'));
    await log.append(numberedFrom(2, 300, { exchange }));
    expect(log.counters.repeats).toBeGreaterThan(0);
    expect((await readAll(log)).map(idOf)).toEqual(numberedFrom(1, 300).map(({ id }) => id));
  });

  it('[I-10] does not confirm an event that cannot be routed', async () => {
    const { url, stream, exchange } = testNames();
    const log = await open(url, { exchanges: [exchange], appendTimeoutMs: 700 });
    const admin = await openAdmin(SHARED_BROKER);
    const timer = setInterval(() => void admin.do((channel) => channel.unbindQueue(stream, exchange, '#')), 1);
    afterTest(async () => clearInterval(timer));
    const appends = Array.from({ length: 20 }, (_, n) => log.append([numbered(n, { exchange })], { points: false }));
    const results = await Promise.allSettled(appends);
    clearInterval(timer);
    const safe = numberedFrom(0, 19).filter((_, index) => results[index]?.status === 'fulfilled');
    const read = (await readAll(log)).map(idOf);
    expect(read).toEqual(expect.arrayContaining(safe.map(({ id }) => id)));
    for (const result of results) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'LOG_UNAVAILABLE', retryable: true });
    }
  });

  it('[I-10] recreates a stream that is deleted while another queue is bound, and stores later events in it', async () => {
    const { url, stream, exchange } = testNames();
    const log = await open(url, { exchanges: [exchange] });
    const admin = await openAdmin(SHARED_BROKER);
    afterTest(() => deleteQueues(SHARED_BROKER, [`${stream}-work`]));
    await admin.do(async (channel) => {
      await channel.assertQueue(`${stream}-work`);
      await channel.bindQueue(`${stream}-work`, exchange, '#');
    });
    for (let round = 0; round < 5; round++) {
      const first = round * 100 + 1;
      await log.append([numbered(first, { exchange })], { points: false });
      await admin.do((channel) => channel.deleteQueue(stream));
      for (let n = first + 1; n < first + 20; n++) {
        await log.append([numbered(n, { exchange })], { points: false });
      }
      const reader = await open(url, { exchanges: [exchange] });
      const expected = numberedFrom(first + 1, first + 19).map(({ id }) => id);
      expect((await readAll(reader)).map(idOf)).toEqual(expected);
    }
  });

  it('[I-4] notices a recreated stream, even if it is longer than the old one', async () => {
    const { url, stream, exchange } = testNames();
    const log = await open(url, { exchanges: [exchange] });
    const points = await log.append(numberedFrom(1, 5, { exchange }));
    const recorder = new Recorder();
    log.follow(await log.head(), recorder);
    const admin = await openAdmin(SHARED_BROKER);
    await admin.do(async (channel) => {
      await channel.deleteQueue(stream);
      await channel.assertQueue(stream, { durable: true, arguments: { 'x-queue-type': 'stream' } });
      await channel.bindQueue(stream, exchange, '#');
      for (let n = 1; n <= 50; n++) channel.publish(exchange, `other.${n}`, Buffer.from(String(n)));
    });
    await recorder.until('replaced', () => recorder.heads.length === 1);
    await admin.publish(exchange, 'other.51', '51');
    await recorder.until('the new events', () => recorder.through?.offset === 51 + offsetOfFirst(recorder));
    for (const point of points) expect(await log.check(point)).toBe('replaced');
  });

  it('[I-4] reports a dropped position as truncated, to its followers too', async () => {
    const { url, exchange } = testNames();
    const retention = { maxBytes: 100_000, segmentBytes: 50_000 };
    const log = await open(url, { exchanges: [exchange], retention });
    const birth = await log.floor();
    const points = await log.append(numberedFrom(1, 100, { exchange }));
    for (let n = 101; n < 3_000; n += 100) {
      await log.append(numberedFrom(n, n + 99, { exchange }), { points: false });
    }
    const fresh = await open(url, { exchanges: [exchange], retention });
    const floor = await fresh.floor();
    expect(floor.offset).toBeGreaterThan(points[50]?.offset ?? 0);
    for (const point of [birth, points[0] ?? birth, points[50] ?? birth])
      expect(await fresh.check(point)).toBe('truncated');
    expect(await fresh.check(floor)).toBe('present');
    expect(await fresh.check({ ...floor, fingerprint: 1 })).toBe('truncated');
    const [first] = (await fresh.read({ after: 0, maxCount: 1 })).entries;
    expect((await fresh.read({ after: floor.offset, maxCount: 1 })).entries).toEqual([first]);
    const recorder = new Recorder();
    fresh.follow(points[0] ?? birth, recorder);
    await recorder.until('replaced', () => recorder.heads.length === 1);
    expect(recorder.heads).toEqual([await fresh.head()]);
  });

  it('[I-2] finds an event behind thousands of fences in a row', async () => {
    const { url, stream, exchange } = testNames();
    const log = await open(url, { exchanges: [exchange] });
    const [first] = await log.append([numbered(1, { exchange })]);
    const admin = await openAdmin(SHARED_BROKER);
    await admin.do((channel) => {
      for (let n = 0; n < 4_100; n++) {
        channel.publish('', stream, Buffer.from(`${n}`), { persistent: true, headers: { 'pregon-fence': `${n}` } });
      }
    });
    await log.append(numberedFrom(2, 3, { exchange }));
    const fresh = await open(url, { exchanges: [exchange] });
    const edge = await fresh.head();
    const page = await new PageReader(fresh, systemClock, await positionsOf(fresh)).read(first?.offset ?? 0, edge);
    if (typeof page === 'string') throw new Error(page);
    expect(page.through).toBe(edge.offset);
    expect(page.events.map(({ entry }) => idOf(entry))).toEqual(['event-2', 'event-3']);
  });

  it('[I-7] shares one fence among concurrent requests for the head', async () => {
    const { url, exchange } = testNames();
    const log = await open(url, { exchanges: [exchange] });
    const [first] = await log.append([numbered(1, { exchange })]);
    const asked = Array.from({ length: 500 }, () => log.head());
    const [second] = await log.append([numbered(2, { exchange })]);
    expect(await log.head()).toEqual(second);
    for (const head of await Promise.all(asked)) expect([first, second]).toContainEqual(head);
    expect((second?.offset ?? 0) - (first?.offset ?? 0)).toBeLessThan(5);
  });
});

/** The number of entries of a new stream before its first event. */
function offsetOfFirst({ through }: Recorder): number {
  return through === undefined ? 0 : through.offset - 51;
}
