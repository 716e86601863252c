import { encodeSequence, isTopic, type PregonEvent } from '@pregon/protocol';
import type { ConsumeMessage } from 'amqplib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Outgoing, toKey, toMessage, toStreamEntry } from '../../src/logs/rabbitmq/messages/message.js';
import { encodeEvent } from '../../src/logs/shared/encode.js';

const OPTIONS = { stream: 'pregon', maxEventBytes: 1_000_000 };

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
const anyText = fc.oneof(
  text,
  fc.constantFrom('\ud800', '\udfff', '\0', '__proto__', 'x'.repeat(300), 'x'.repeat(20_000)),
);

const anyEvent: fc.Arbitrary<PregonEvent> = fc.record(
  {
    specversion: fc.constant('1.0' as const),
    id: anyText,
    source: anyText,
    type: anyText,
    topic: fc.stringMatching(/^[a-z]{1,5}(\.[a-z0-9]{1,5}){0,3}$/).filter(isTopic),
    exchange: fc.stringMatching(/^[a-z]{1,10}$/),
    sequence: fc.nat().map(encodeSequence),
    time: anyText,
    subject: anyText,
    traceparent: anyText,
    data: fc.jsonValue(),
  },
  { requiredKeys: ['specversion', 'id', 'source', 'type', 'topic', 'exchange'] },
);

it('an event survives a round trip through a message, whatever its attributes', () => {
  fc.assert(
    fc.property(anyEvent, fc.nat(), (event, offset) => {
      const encoded = encodeEvent(event, 1_000_000);
      const { id, attributes, ...expected } = encoded;
      const entry = toStreamEntry(deliver(toMessage(encoded, OPTIONS.stream), offset), OPTIONS);
      expect(entry).toEqual({
        kind: 'event',
        offset: offset + 1,
        fingerprint: encoded.fingerprint,
        event: { ...expected, offset: offset + 1 },
        key: toKey(event.source, id),
        id,
        attributes,
      });
    }),
  );
});

it('[fault C5] an event of Pregon that was reformatted over several lines in transit is read as one line', () => {
  const names = { id: '1', source: '/', type: 'T', topic: 'a.b', exchange: 'e', datacontenttype: 'application/json' };
  const encoded = encodeEvent({ specversion: '1.0', ...names, data: [1, 2] }, 1_000_000);
  const message = toMessage(encoded, OPTIONS.stream);
  const laidOut = message.body.toString().replace(/[{,]/g, '$&\n\n').replace('[1', '[\r1.0');
  const entry = toStreamEntry(deliver({ ...message, body: Buffer.from(laidOut) }, 0), OPTIONS);
  const payload = entry.kind === 'event' ? Buffer.from(entry.event.payload).toString() : entry.kind;
  expect(payload).not.toMatch(/[\r\n]/);
  expect(payload).toContain('"data":[1.0,2]');
  expect(JSON.parse(payload)).toEqual(JSON.parse(laidOut));
});

it('[I-3] two events have the same key if and only if their source and id are the same', () => {
  fc.assert(
    fc.property(anyText, anyText, anyText, anyText, (source, id, otherSource, otherId) => {
      expect(toKey(source, id) === toKey(otherSource, otherId)).toBe(source === otherSource && id === otherId);
    }),
  );
  expect(toKey('a', '1b')).not.toBe(toKey('a1', 'b'));
  expect(toKey('', '1:a')).not.toBe(toKey('1:', 'a'));
});

it('no message makes the reader throw', () => {
  const properties = fc.record(
    {
      contentType: fc.constantFrom(
        'application/cloudevents+json',
        'application/json',
        'text/plain',
        'application/cloudevents',
        7,
      ),
      messageId: fc.oneof(text, fc.nat()),
      type: text,
      timestamp: fc.oneof(fc.nat(), fc.double()),
      headers: fc.dictionary(
        fc.constantFrom(
          'pregon',
          'pregon-fence',
          'cloudEvents:id',
          'cloudEvents:specversion',
          'cloudEvents_source',
          'cloudEvents:time',
        ),
        fc.oneof(fc.jsonValue(), fc.constant({ '!': 'timestamp', value: 1e300 }), fc.constant('1.0'), fc.json()),
      ),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      properties,
      fc.oneof(fc.uint8Array(), fc.json()),
      fc.string(),
      fc.string(),
      (given, body, exchange, key) => {
        const message = deliver({ exchange, routingKey: key, body: Buffer.from(body), options: given }, 5);
        const entry = toStreamEntry(message, OPTIONS);
        expect(entry.offset).toBe(6);
        expect(toStreamEntry(message, OPTIONS)).toEqual(entry);
        if (entry.kind === 'event') expect(() => JSON.parse(Buffer.from(entry.event.payload).toString())).not.toThrow();
      },
    ),
  );
});

interface Published {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly options: object;
}

/** The message as the broker delivers it. */
function deliver({ exchange, routingKey, body, options }: Published, offset: number): ConsumeMessage {
  const none = {
    contentType: undefined,
    contentEncoding: undefined,
    deliveryMode: undefined,
    priority: undefined,
    correlationId: undefined,
    replyTo: undefined,
    expiration: undefined,
    messageId: undefined,
    timestamp: undefined,
    type: undefined,
    userId: undefined,
    appId: undefined,
    clusterId: undefined,
  };
  const headers = { ...('headers' in options && typeof options.headers === 'object' ? options.headers : {}) };
  return {
    content: body,
    fields: { deliveryTag: 1, redelivered: false, exchange, routingKey, consumerTag: 'c' },
    properties: { ...none, ...options, headers: { ...headers, 'x-stream-offset': offset } },
  };
}

it('[H-06] only an event of Pregon that came straight to the stream is of the reserved exchange', () => {
  const names = { id: '1', source: '/pregon', type: 'T', topic: 'revocation', exchange: '$pregon' };
  const message = toMessage(encodeEvent({ specversion: '1.0', ...names }, 1_000_000), OPTIONS.stream);
  expect([message.exchange, message.routingKey]).toEqual(['', 'pregon']);
  const read = (change: Partial<Outgoing>) => toStreamEntry(deliver({ ...message, ...change }, 0), OPTIONS);
  expect(read({})).toMatchObject({ kind: 'event', event: { exchange: '$pregon', topic: 'revocation' } });
  // Another exchange, another stream, an exchange of that name, and a message without the header of Pregon.
  expect(read({ exchange: 'my_events' })).toMatchObject({ kind: 'event', event: { exchange: 'my_events' } });
  expect(read({ routingKey: 'other' })).toMatchObject({ kind: 'poison' });
  expect(read({ exchange: '$pregon', routingKey: 'revocation' })).toMatchObject({ kind: 'poison' });
  expect(read({ options: { ...message.options, headers: {} } })).toMatchObject({ kind: 'poison' });
});
