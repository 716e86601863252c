import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'amqplib';
import { expect, it, vi } from 'vitest';
import { afterTest, temporaryFolder } from '../../../../test/support/cleanup.js';
import { numbered, numberedFrom } from '../../../../test/support/log/events.js';
import { idOf, Recorder, readAll } from '../../../../test/support/log/recorder.js';
import { isLong } from '../../../../test/support/long.js';
import { startProcess } from '../../../../test/support/processes.js';
import { CERTIFICATE, describeWithOwnBroker, type OwnBroker } from '../../../../test/support/rabbitmq.js';
import { eventually } from '../../../../test/support/waiting.js';
import type { RabbitLogOptions, RabbitState } from '../../src/logs/rabbitmq/options.js';
import { openRabbitLog, type RabbitLog } from '../../src/logs/rabbitmq/rabbitmq-log.js';
import { ALL_ONCE_IN_ORDER, compare, Load } from './load.js';

/** More in long runs, since the events of an outage must be caught up afterwards. */
const PER_SECOND = isLong ? 2_000 : 500;

interface Outage {
  readonly what: string;
  readonly happens: (broker: OwnBroker) => Promise<void>;
}

const OUTAGES: readonly Outage[] = [
  {
    what: 'the broker is restarted',
    happens: async (broker) => {
      await broker.stop();
      await broker.start();
    },
  },
  {
    what: 'the broker is killed, twice',
    happens: async (broker) => {
      await broker.kill();
      await broker.start();
      await broker.kill();
      await broker.start();
    },
  },
  {
    what: 'an operator repeatedly closes all connections',
    happens: async (broker) => {
      for (let n = 0; n < 4; n++) await broker.control('close_all_connections', 'maintenance');
    },
  },
  {
    what: 'the broker is frozen for longer than its heartbeats allow',
    happens: async (broker) => {
      process.kill(broker.pid, 'SIGSTOP');
      await delay(4_000);
      process.kill(broker.pid, 'SIGCONT');
    },
  },
];

// A broker takes some seconds to start, more on a busy machine: appends and reads wait as long as the tests do.
const DEADLINE_MS = 180_000;
vi.setConfig({ testTimeout: 4 * DEADLINE_MS });

describeWithOwnBroker('a log on RabbitMQ, in an outage,', (broker) => {
  for (const { what, happens } of OUTAGES) {
    it(`[I-2] [I-3] [I-10] loses, doubles and reorders nothing of ${PER_SECOND} events/s while ${what}`, async () => {
      const stream = what.replaceAll(/\W+/g, '-');
      const application = await open(broker, stream);
      const gateway = await open(broker, stream);
      await bindAnotherQueue(broker, stream);
      const recorder = new Recorder();
      gateway.follow(await gateway.head(), recorder);
      const load = new Load(application, stream, PER_SECOND);
      await recorder.until('events before', () => recorder.entries.length >= PER_SECOND, DEADLINE_MS);
      await happens(broker);
      const during = load.count;
      await recorder.until('events after', () => recorder.entries.length >= during + PER_SECOND, DEADLINE_MS);
      await load.end();
      await recorder.until('all events', () => recorder.entries.length >= load.count, DEADLINE_MS);
      expect(compare(recorder.entries, load.count)).toEqual(ALL_ONCE_IN_ORDER);
      expect(compare(await readAll(gateway), load.count)).toEqual(ALL_ONCE_IN_ORDER);
      expect(compare(await readAll(await open(broker, stream)), load.count)).toEqual(ALL_ONCE_IN_ORDER);
      expectOutagesInTurn(recorder.calls);
    });
  }

  it('[I-2] lets reads and appends wait until the broker is back', async () => {
    const log = await open(broker, 'waiting');
    const points = await log.append(numberedFrom(1, 5, { exchange: 'waiting' }));
    await broker.stop();
    const appended = log.append([numbered(6, { exchange: 'waiting' })]);
    const read = readAll(log, points[1]?.offset);
    const checked = log.check(points[0] ?? { offset: 0, fingerprint: 0 });
    await broker.start();
    expect(await checked).toBe('present');
    expect((await read).map(idOf).slice(0, 3)).toEqual(['event-3', 'event-4', 'event-5']);
    expect(await appended).toHaveLength(1);
  });

  it('reports a broker that stays away after the timeout, and does not wait for it on close', async () => {
    const log = await open(broker, 'away', { appendTimeoutMs: 400, readTimeoutMs: 300 });
    await log.append([numbered(1, { exchange: 'away' })]);
    await broker.stop();
    const unavailable = { code: 'LOG_UNAVAILABLE', retryable: true };
    await expect(log.append([numbered(2, { exchange: 'away' })])).rejects.toMatchObject(unavailable);
    await expect(log.append([numbered(3, { exchange: 'away' })], { points: false })).rejects.toMatchObject(unavailable);
    await expect(log.head()).rejects.toMatchObject(unavailable);
    await expect(log.floor()).rejects.toMatchObject(unavailable);
    const closing = performance.now();
    await log.close();
    expect(performance.now() - closing).toBeLessThan(10_000);
    // The next test wants it to be down, and starts it.
  });

  it('reports once that the broker is down at the start, waits, and opens when the broker is available', async () => {
    await broker.stop();
    const states: RabbitState[] = [];
    const opening = open(broker, 'late', { onState: (state) => states.push(state) });
    const gaveUp = new AbortController();
    const other = open(broker, 'never', { signal: gaveUp.signal, onState: () => {} });
    await eventually(
      () => states.length,
      (count) => count > 0,
    );
    gaveUp.abort();
    await expect(other).rejects.toMatchObject({ code: 'LOG_CLOSED' });
    await broker.start();
    const log = await opening;
    expect(await log.append([numbered(1, { exchange: 'late' })])).toHaveLength(1);
    const at = `127.0.0.1:${broker.port}`;
    expect(states.map(({ state, broker: where }) => [state, where])).toEqual([
      ['waiting', at],
      ['connected', at],
    ]);
  });

  it('uses existing objects if the user may not declare or bind any, and reports missing ones', async () => {
    const owner = await open(broker, 'theirs');
    await owner.append([numbered(1, { exchange: 'theirs' })]);
    await broker.control('add_user', 'reader', 'secret');
    await broker.control('set_permissions', 'reader', '^$', '^(theirs|amq.default)$', '^theirs$');
    const url = broker.url.replace('guest:guest', 'reader:secret');
    const log = await openRabbitLog(`${url}/?stream=theirs`, { exchanges: ['theirs'] });
    afterTest(() => log.close());
    expect(await log.append([numbered(2, { exchange: 'theirs' })])).toHaveLength(1);
    expect((await readAll(log)).map(idOf)).toEqual(['event-1', 'event-2']);
    const message = expect.stringMatching(/"nowhere" does not exist, and this user/);
    const appending = log.append([numbered(3, { exchange: 'nowhere' })]);
    await expect(appending).rejects.toMatchObject({ code: 'EXCHANGE_UNUSABLE', message });
    const opening = openRabbitLog(`${url}/?stream=nowhere`);
    await expect(opening).rejects.toMatchObject({ code: 'CONFIG_INVALID', message });
  });

  it('uses TLS with amqps:, and accepts only a trusted certificate', async () => {
    const log = await openRabbitLog(`${broker.tlsUrl}/?stream=tls&cacertfile=${encodeURIComponent(CERTIFICATE)}`);
    afterTest(() => log.close());
    expect(await log.append([numbered(1, { exchange: 'tls' })])).toHaveLength(1);
    const gaveUp = new AbortController();
    const states: RabbitState[] = [];
    const distrusting = openRabbitLog(`${broker.tlsUrl}/?stream=tls`, {
      signal: gaveUp.signal,
      onState: (state) => states.push(state),
    });
    await eventually(
      () => states,
      ([state]) => state?.state === 'waiting' && /certificate/.test(state.error.message),
    );
    gaveUp.abort();
    await expect(distrusting).rejects.toMatchObject({ code: 'LOG_CLOSED' });
  });

  it('does not start with a certificate that cannot be read or used, and names the parameter', async () => {
    const folder = temporaryFolder();
    const [missing, broken] = [join(folder, 'missing.pem'), join(folder, 'broken.pem')];
    writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    for (const parameter of ['cacertfile', 'certfile', 'keyfile']) {
      for (const [path, words] of [
        [missing, 'cannot be read'],
        [broken, 'cannot be used'],
      ] as const) {
        const opening = openRabbitLog(`${broker.tlsUrl}/?stream=tls&${parameter}=${encodeURIComponent(path)}`, {
          signal: AbortSignal.timeout(5_000),
          onState: () => {},
        });
        await expect(opening).rejects.toMatchObject({
          code: 'CONFIG_INVALID',
          message: expect.stringMatching(new RegExp(`: ${parameter}: the file ${words}`)),
        });
      }
    }
  });

  it('leaves nothing behind after close that keeps a process alive', async () => {
    const script = `
      import { openRabbitLog } from './packages/server/dist/logs/rabbitmq/rabbitmq-log.js';
      const log = await openRabbitLog('${broker.url}/?stream=ended', { exchanges: ['ended'] });
      log.follow(await log.head(), { appended() {}, replaced() {}, unavailable() {}, available() {} });
      await log.read({ after: 0 });
      await log.close();
      console.log('closed');`;
    const program = startProcess(['--input-type=module', '--eval', script]);
    await program.until(/closed/);
    expect(await Promise.race([program.exited, delay(60_000, 'still running')])).toMatchObject({ code: 0 });
  });
});

/** For the broker, a message to this queue counts as routed, whether it reaches the stream or not. */
async function bindAnotherQueue(broker: OwnBroker, exchange: string): Promise<void> {
  const connection = await connect(broker.url);
  const channel = await connection.createChannel();
  await channel.assertQueue(`${exchange}-work`, { durable: true, maxLength: 1_000 });
  await channel.bindQueue(`${exchange}-work`, exchange, '#');
  await connection.close();
}

/** Each outage must be reported once, and then its end, before the next one. */
function expectOutagesInTurn(calls: readonly string[]): void {
  const states = calls.map((call) => call.split(/[ :]/)[0]).filter((call) => call !== 'appended');
  expect(states.length).toBeGreaterThan(0);
  expect(states).toEqual(states.map((_, index) => (index % 2 === 0 ? 'unavailable' : 'available')));
  expect(states.at(-1)).toBe('available');
}

async function open(broker: OwnBroker, stream: string, options: RabbitLogOptions = {}): Promise<RabbitLog> {
  const onState = () => {};
  const log = await openRabbitLog(`${broker.url}/?stream=${stream}&heartbeat=1`, {
    exchanges: [stream],
    onState,
    appendTimeoutMs: DEADLINE_MS,
    readTimeoutMs: DEADLINE_MS,
    ...options,
  });
  afterTest(() => log.close());
  return log;
}
