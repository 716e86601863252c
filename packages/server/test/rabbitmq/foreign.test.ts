import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fingerprint } from '@pregon/protocol';
import type { Options } from 'amqplib';
import { expect, it } from 'vitest';
import { type Admin, openAdmin } from '../../../../test/support/amqp-admin.js';
import { afterTest } from '../../../../test/support/cleanup.js';
import { numbered } from '../../../../test/support/log/events.js';
import { parsePayload, Recorder, readAll } from '../../../../test/support/log/recorder.js';
import { isHidden, isRequired } from '../../../../test/support/machine.js';
import { describeWithBroker, SHARED_BROKER, type TestNames, testNames } from '../../../../test/support/rabbitmq.js';
import type { RabbitLogOptions } from '../../src/logs/rabbitmq/options.js';
import { openRabbitLog, type RabbitLog } from '../../src/logs/rabbitmq/rabbitmq-log.js';

interface Stage extends TestNames {
  readonly log: RabbitLog;
  readonly admin: Admin;
}

async function setStage(options: RabbitLogOptions = {}): Promise<Stage> {
  const names = testNames();
  const log = await openRabbitLog(names.url, { exchanges: [names.exchange], ...options });
  afterTest(() => log.close());
  return { ...names, log, admin: await openAdmin(SHARED_BROKER) };
}

/** The entry that one message becomes. */
async function received(key: string, body: Buffer | string, options?: Options.Publish) {
  const stage = await setStage();
  await stage.admin.publish(stage.exchange, key, body, options);
  const [entry] = await readAll(stage.log);
  if (!entry) throw new Error(`nothing was delivered; ${stage.log.counters.poisoned} poisoned`);
  expect(fingerprint(entry.payload)).toBe(entry.fingerprint);
  expect(entry).toMatchObject({ exchange: stage.exchange });
  return { ...stage, entry, event: parsePayload(entry) };
}

const cloudEvent = { specversion: '1.0', id: 'e-1', source: '/crm', type: 'UserWasCreated' };
const STRUCTURED = 'application/cloudevents+json; charset=utf-8';

/** The text of an event's data. */
function dataText({ payload }: { payload: Uint8Array }): string {
  const text = Buffer.from(payload).toString('utf8');
  return text.slice(text.indexOf('"data":') + '"data":'.length, text.indexOf(',"topic":'));
}

describeWithBroker('[fault C5] JSON on RabbitMQ that JavaScript cannot hold', () => {
  it('is delivered as it was written, without an envelope, in a structured and in a binary CloudEvent', async () => {
    const stage = await setStage();
    const json = '{"id":9007199254740993, "big":[12345678901234567890,-0,1.10,1e400],"dup":1,"dup":2}';
    const structured = `{"specversion":"1.0","id":"e-1","source":"/crm","type":"T","data":${json}}`;
    const headers = {
      'cloudEvents:specversion': '1.0',
      'cloudEvents:id': 'e-2',
      'cloudEvents:source': '/crm',
      'cloudEvents:type': 'T',
    };
    await stage.admin.publish(stage.exchange, 'a.b', json, { contentType: 'application/json' });
    await stage.admin.publish(stage.exchange, 'a.b', structured, { contentType: STRUCTURED });
    await stage.admin.publish(stage.exchange, 'a.b', json, { headers, contentType: 'application/json' });
    const exact = json.replace(', ', ',');
    expect((await readAll(stage.log)).map(dataText)).toEqual([exact, exact, exact]);
  });
});

describeWithBroker('a log on RabbitMQ, with producers that do not know Pregon,', () => {
  it('[000-11] wraps a message without an envelope: type and topic from the routing key, data from JSON, an id from its offset', async () => {
    const { event, entry, exchange, stream } = await received('user.42.created', '{"id":42}');
    expect(event).toEqual({
      specversion: '1.0',
      id: `${stream}-${entry.offset}`,
      source: `/${exchange}`,
      type: 'user.42.created',
      datacontenttype: 'application/json',
      data: { id: 42 },
      topic: 'user.42.created',
      exchange,
    });
  });

  it('[000-11] takes type, id, source and time from the properties if there are any', async () => {
    const options = { type: 'UserWasCreated', messageId: 'm-1', appId: 'crm', timestamp: 1_700_000_000 };
    const { event, entry } = await received('user.42.created', '[1]', options);
    const expected = { type: 'UserWasCreated', id: 'm-1', source: 'crm', time: '2023-11-14T22:13:20.000Z', data: [1] };
    expect(event).toMatchObject(expected);
    expect(entry).toMatchObject({
      type: 'UserWasCreated',
      source: 'crm',
      topic: 'user.42.created',
      sequence: undefined,
    });
  });

  const bodies: Record<string, [Buffer | string, Options.Publish, object]> = {
    text: ['Zoë\n"', {}, { data: 'Zoë\n"', datacontenttype: 'text/plain' }],
    'text that could be JSON': ['42', { contentType: 'text/csv' }, { data: '42', datacontenttype: 'text/csv' }],
    bytes: [Buffer.from([0xff, 0, 1]), {}, { data_base64: '/wAB', datacontenttype: 'application/octet-stream' }],
    'a picture': [
      Buffer.from([0x89, 0x50]),
      { contentType: 'image/png' },
      { data_base64: 'iVA=', datacontenttype: 'image/png' },
    ],
    'JSON of a specific type': [
      '{}',
      { contentType: 'application/x+json' },
      { data: {}, datacontenttype: 'application/x+json' },
    ],
    null: ['null', {}, { data: null, datacontenttype: 'application/json' }],
  };
  for (const [name, [body, options, expected]] of Object.entries(bodies)) {
    it(`[000-11] makes a body that is ${name} the data`, async () => {
      expect((await received('a.b', body, options)).event).toMatchObject(expected);
    });
  }

  it('[000-11] reads an empty body as no data, and finds a topic if the routing key is empty', async () => {
    const { event, exchange } = await received('', '', { type: 'Ping' });
    expect(event).toMatchObject({ type: 'Ping', topic: exchange });
    expect('data' in event || 'data_base64' in event).toBe(false);
  });

  it('[000-03] keeps a CloudEvent in structured mode unchanged, with exchange and topic of its delivery', async () => {
    const body = {
      ...cloudEvent,
      subject: 'user/42',
      data: { id: 42 },
      traceparent: '00-1',
      exchange: 'forged',
      position: 'x',
    };
    const { event, entry, exchange } = await received('user.42', JSON.stringify(body), { contentType: STRUCTURED });
    const { position: _, ...stored } = body;
    expect(event).toEqual({ ...stored, topic: 'user.42', exchange });
    expect(entry).toMatchObject({ type: 'UserWasCreated', source: '/crm' });
  });

  it('[000-03] keeps a CloudEvent in binary mode unchanged, with either prefix and any type of header', async () => {
    const headers = {
      'cloudEvents:specversion': '1.0',
      'cloudEvents:id': 'e-1',
      cloudEvents_source: '/crm',
      cloudEvents_type: 'UserWasCreated',
      'cloudEvents:time': { '!': 'timestamp', value: 1_700_000_000 },
      'cloudEvents:sequence': '0000000000000007',
      'cloudEvents:flag': true,
      'x-unrelated': 'left out',
    };
    const { event, entry } = await received('user.42', '{"id":42}', { headers, contentType: 'application/json' });
    const expected = { ...cloudEvent, time: '2023-11-14T22:13:20.000Z', flag: true, data: { id: 42 } };
    expect(event).toMatchObject({ ...expected, datacontenttype: 'application/json', topic: 'user.42' });
    expect('x-unrelated' in event).toBe(false);
    expect(entry.sequence).toBe(7);
  });

  it('[000-03] gives an event of Pregon in another exchange the exchange and the topic of its delivery', async () => {
    const body = { ...cloudEvent, topic: 'user.41', exchange: 'elsewhere', data: 1 };
    const headers = { pregon: JSON.stringify([cloudEvent.id, cloudEvent.source, cloudEvent.type]) };
    const { event, exchange } = await received('user.42', JSON.stringify(body), { headers, contentType: STRUCTURED });
    expect(event).toEqual({ ...body, topic: 'user.42', exchange });
  });

  it('[I-3] [000-11] treats a message with the id of an earlier one as a repetition', async () => {
    const { log, admin, exchange } = await received('a.b', '1', { messageId: 'm-1' });
    await admin.publish(exchange, 'a.b', '2', { messageId: 'm-1' });
    await admin.publish(exchange, 'a.b', '3', { messageId: 'm-2' });
    expect((await readAll(log)).map((entry) => parsePayload(entry)['data'])).toEqual([1, 3]);
  });

  it('[I-1] [I-4] gives the same event of a message, with the same point, in every process', async () => {
    const { url, exchange, log, entry } = await received('a.b', 'no json');
    const another = await openRabbitLog(url, { exchanges: [exchange] });
    afterTest(() => another.close());
    expect(await readAll(another)).toEqual([entry]);
    expect(await another.check(entry)).toBe('present');
    expect(await log.check({ ...entry, fingerprint: entry.fingerprint ^ 1 })).toBe('replaced');
  });
});

const forged = { headers: { pregon: '["i","s","t"]' } };
const ours = { specversion: '1.0', id: 'i', source: 's', type: 't' };

const poison: Record<string, [string, string | Buffer, Options.Publish]> = {
  'a structured CloudEvent that is not JSON': ['a.b', '{', { contentType: STRUCTURED }],
  '[fault C8] a structured CloudEvent that is not UTF-8': [
    'a.b',
    Buffer.from('{"specversion":"1.0","id":"\xe9","source":"/","type":"T"}', 'latin1'),
    { contentType: STRUCTURED },
  ],
  '[fault C8] a routing key that is not UTF-8': ['a.\ufffd', '{}', {}],
  '[fault C8] an id that is not UTF-8': ['a.b', '{}', { messageId: 'm-\ufffd' }],
  '[fault C8] a binary CloudEvent whose id is not UTF-8': [
    'a.b',
    '',
    {
      headers: {
        'cloudEvents:specversion': '1.0',
        'cloudEvents:id': '\ufffd',
        'cloudEvents:source': '/',
        'cloudEvents:type': 'T',
      },
    },
  ],
  'a structured CloudEvent with a repeated member': [
    'a.b',
    '{"specversion":"1.0","id":"1","id":"2","source":"/","type":"T"}',
    { contentType: STRUCTURED },
  ],
  'a structured CloudEvent that is not an object': ['a.b', '[]', { contentType: STRUCTURED }],
  'a structured CloudEvent without a type': [
    'a.b',
    '{"specversion":"1.0","id":"1","source":"/"}',
    { contentType: STRUCTURED },
  ],
  'a structured CloudEvent of another version': [
    'a.b',
    JSON.stringify({ ...cloudEvent, specversion: '0.3' }),
    { contentType: STRUCTURED },
  ],
  'a batch of CloudEvents': ['a.b', '[]', { contentType: 'application/cloudevents-batch+json' }],
  'a binary CloudEvent without a source': [
    'a.b',
    '',
    { headers: { 'cloudEvents:specversion': '1.0', 'cloudEvents:id': '1' } },
  ],
  'a routing key that is not a topic': ['a b..c', '{}', {}],
  'a message that is too large': ['a.b', JSON.stringify('x'.repeat(2_000)), {}],
  'a forged header with a body that is not an object': ['a.b', '1', { headers: { pregon: '["1","/","T"]' } }],
  'a forged header with a body that is not UTF-8': ['a.b', Buffer.from([0x7b, 0xff, 0x7d]), forged],
  'a forged header with UTF-8 that is mangled in the middle': [
    'a.b',
    Buffer.concat([Buffer.from('{"specversion":"1.0","id":"'), Buffer.from([0xc3]), Buffer.from('"}')]),
    forged,
  ],
  'a forged header with a body that is not JSON': ['a.b', '{"specversion":"1.0",}', forged],
  'a forged header with a body that is not an event': ['a.b', '{"id":"i","source":"s","type":"t"}', forged],
  'a forged header with a body that is another event': ['a.b', JSON.stringify({ ...ours, id: 'j' }), forged],
  'a forged header with a body that is too large': [
    'a.b',
    JSON.stringify({ ...ours, topic: 'a.b', data: 'x'.repeat(2_000) }),
    forged,
  ],
  'an invalid header of Pregon': ['a.b', '{}', { headers: { pregon: '{' } }],
};

describeWithBroker('an invalid message on RabbitMQ', () => {
  it('is not delivered, is reported once and counted, and stops nothing', async () => {
    const warnings: string[] = [];
    const { log, admin, exchange } = await setStage({
      maxEventBytes: 1_000,
      onWarning: ({ message }) => warnings.push(message),
    });
    const recorder = new Recorder();
    log.follow(await log.head(), recorder);
    await log.append([numbered(0, { exchange })]);
    const kinds = Object.values(poison);
    for (const [index, [key, body, options]] of kinds.entries()) {
      await admin.publish(exchange, key, body, options);
      await log.append([numbered(index + 1, { exchange })]);
    }
    await recorder.untilCount(kinds.length + 1);
    expect(recorder.entries.map(({ sequence }) => sequence)).toEqual(
      kinds.map((_, index) => index).concat(kinds.length),
    );
    expect((await readAll(log)).map(({ offset }) => offset)).toEqual(recorder.entries.map(({ offset }) => offset));
    expect(log.counters.poisoned).toBe(kinds.length);
    expect(warnings[0]).toMatch(/^a message is delivered to nobody: offset \d+ of the stream .* is not JSON$/);
    expect(warnings.length).toBeLessThanOrEqual(kinds.length);
  });

  for (const [what, [key, body, options]] of Object.entries(poison)) {
    it(`is skipped: ${what}`, async () => {
      const { log, admin, exchange } = await setStage({ maxEventBytes: 1_000, onWarning: () => {} });
      const start = await log.head();
      await admin.publish(exchange, key, body, options);
      const head = await log.head();
      expect(head.offset).toBeGreaterThan(start.offset);
      expect(await log.read({ after: 0 })).toEqual({ entries: [], through: head, complete: true });
      expect(await log.check(head)).toBe('present');
    });
  }
});

const PYTHON = '/usr/bin/python3';
const hasPika = !isHidden('python') && spawnSync(PYTHON, ['-c', 'import pika']).status === 0;

describeWithBroker('RabbitMQ: another language', () => {
  const title = '[000-03] what a Python program publishes is heard';
  const missing = !hasPika && !isRequired;
  it.skipIf(missing)(missing ? `${title} (skipped: apt-get install python3-pika)` : title, async () => {
    const { log, exchange } = await setStage();
    const recorder = new Recorder();
    log.follow(await log.head(), recorder);
    const script = join(import.meta.dirname, 'publish.py');
    await promisify(execFile)(PYTHON, [script, '127.0.0.1', '5672', exchange]);
    await recorder.untilCount(3);
    expect(recorder.entries.map(parsePayload)).toMatchObject([
      { type: 'user.42.created', topic: 'user.42.created', data: { id: 42, name: 'Zoë' } },
      { type: 'UserWasRenamed', id: 'renamed-1', source: 'crm', topic: 'user.42.renamed', data: { name: 'Zoé' } },
      { type: 'UserWasDeleted', id: 'deleted-1', source: '/crm', topic: 'user.42.deleted' },
    ]);
  });
});
