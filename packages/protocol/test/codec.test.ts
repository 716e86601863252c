import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClientFrame,
  DEFAULT_MAX_FRAME_BYTES,
  decodeClientFrame,
  decodeGatewayFrame,
  encodeFrame,
  type GatewayFrame,
  idOfFrame,
  isEvent,
  MAX_PATTERNS,
  PregonError,
  type PregonEvent,
  parseClientFrame,
  peekId,
} from '../src/index.js';

const id = fc.maxSafeNat();
// The codec need not keep what a round trip through JSON changes.
const json = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)));
const patterns = fc.array(fc.constantFrom('#', 'a.*', 'user.#', 'x'), { minLength: 1, maxLength: 4 });

const clientFrames: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record(
    {
      op: fc.constant('subscribe' as const),
      id,
      topics: patterns,
      since: fc.string(),
      snapshot: fc.boolean(),
      batch: fc.boolean(),
    },
    { requiredKeys: ['op', 'id'] },
  ),
  fc.record({ op: fc.constant('unsubscribe' as const), id }),
  fc.record(
    { op: fc.constant('send' as const), id, name: fc.string({ minLength: 1 }), data: json },
    { requiredKeys: ['op', 'name', 'data'] },
  ),
  fc.record({ op: fc.constant('ping' as const) }),
);

const event: PregonEvent = {
  specversion: '1.0',
  id: '1',
  source: '/',
  type: 'T',
  topic: 'a.b',
  exchange: 'e',
  position: 'p',
};

const gatewayFrames: GatewayFrame[] = [
  { op: 'welcome', connection: 'c', heartbeatMs: 25_000 },
  { op: 'subscribed', id: 1, position: 'p', recovered: true },
  { op: 'unsubscribed', id: 1 },
  { op: 'events', id: 1 },
  { op: 'batch', events: [event, { ...event, id: '2' }] },
  { op: 'snapshot', id: 1, rows: [1, null, {}], more: false },
  { op: 'reset', id: 1, reason: 'truncated' },
  { op: 'checkpoint', id: 1, position: 'p' },
  { op: 'message', name: 'n', data: { a: 1 } },
  { op: 'ack', id: 1, data: [1] },
  { op: 'ack', id: 0 },
  { op: 'error', id: 1, code: 'FORBIDDEN', message: 'm', retryable: false },
  { op: 'error', code: 'FRAME_INVALID', message: 'm', retryable: false },
  { op: 'draining', reconnectInMs: 5 },
  { op: 'pong' },
];

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof PregonError) return error.code;
    throw error;
  }
}

describe('decodeClientFrame', () => {
  it('reads every frame that encodeFrame writes', () => {
    fc.assert(
      fc.property(clientFrames, (frame) => {
        expect(decodeClientFrame(encodeFrame(frame))).toEqual(frame);
      }),
    );
  });

  it('keeps the known members of a frame, and drops the rest', () => {
    expect(decodeClientFrame('{"op":"ping","id":1,"__proto__":{"x":1},"extra":true}')).toEqual({ op: 'ping' });
  });

  it.each([
    ['', 'FRAME_INVALID'],
    ['{', 'FRAME_INVALID'],
    ['null', 'FRAME_INVALID'],
    ['[]', 'FRAME_INVALID'],
    ['"ping"', 'FRAME_INVALID'],
    ['{}', 'OP_UNKNOWN'],
    ['{"op":"pong"}', 'OP_UNKNOWN'],
    ['{"op":"toString"}', 'OP_UNKNOWN'],
    ['{"op":["ping"]}', 'OP_UNKNOWN'],
    ['{"__proto__":{"op":"ping"}}', 'OP_UNKNOWN'],
    ['{"op":"subscribe"}', 'FRAME_INVALID'],
    ['{"op":"subscribe","id":-1}', 'FRAME_INVALID'],
    ['{"op":"subscribe","id":1.5}', 'FRAME_INVALID'],
    ['{"op":"subscribe","id":"1"}', 'FRAME_INVALID'],
    ['{"op":"subscribe","id":9007199254740992}', 'FRAME_INVALID'],
    ['{"op":"subscribe","id":1,"topics":[]}', 'FRAME_INVALID'],
    ['{"op":"subscribe","id":1,"topics":"#"}', 'FRAME_INVALID'],
    ['{"op":"subscribe","id":1,"topics":[1]}', 'FRAME_INVALID'],
    ['{"op":"subscribe","id":1,"topics":["a..b"]}', 'TOPIC_INVALID'],
    ['{"op":"subscribe","id":1,"since":1}', 'FRAME_INVALID'],
    ['{"op":"subscribe","id":1,"since":null}', 'FRAME_INVALID'],
    ['{"op":"subscribe","id":1,"snapshot":"yes"}', 'FRAME_INVALID'],
    ['{"op":"subscribe","id":1,"batch":1}', 'FRAME_INVALID'],
    ['{"op":"unsubscribe"}', 'FRAME_INVALID'],
    ['{"op":"send","name":""}', 'FRAME_INVALID'],
    ['{"op":"send","name":1}', 'FRAME_INVALID'],
    ['{"op":"send","name":"a","id":null}', 'FRAME_INVALID'],
  ])('refuses %s with %s', (text, code) => {
    expect(codeOf(() => decodeClientFrame(text))).toBe(code);
  });

  it('refuses too many patterns, and accepts the maximum', () => {
    const frame = (count: number) => JSON.stringify({ op: 'subscribe', id: 1, topics: Array(count).fill('a') });
    expect(codeOf(() => decodeClientFrame(frame(MAX_PATTERNS + 1)))).toBe('FRAME_INVALID');
    expect(codeOf(() => decodeClientFrame(frame(MAX_PATTERNS)))).toBeUndefined();
  });

  it('refuses a frame that is too large before parsing it', () => {
    const frame = `{"op":"ping","x":"${'x'.repeat(DEFAULT_MAX_FRAME_BYTES)}"}`;
    expect(codeOf(() => decodeClientFrame(frame))).toBe('FRAME_TOO_LARGE');
    expect(codeOf(() => decodeClientFrame('{"op":"ping"}', 12))).toBe('FRAME_TOO_LARGE');
    expect(codeOf(() => decodeClientFrame('{"op":"ping"}', 13))).toBeUndefined();
  });

  it('[I-8] throws only PregonError, whatever a client sends', () => {
    const known = fc.constantFrom('subscribe', 'unsubscribe', 'send', 'ping', 'toString', '');
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc
        .record(
          { op: fc.oneof(known, json), id: json, topics: json, since: json, snapshot: json, name: json, data: json },
          { requiredKeys: [] },
        )
        .map((frame) => JSON.stringify(frame)),
      clientFrames.chain((frame) => {
        const text = encodeFrame(frame);
        return fc.nat(text.length).map((at) => text.slice(0, at));
      }),
    );
    fc.assert(
      fc.property(hostile, (text) => void codeOf(() => decodeClientFrame(text))),
      { numRuns: 3_000 },
    );
  });

  it.each(['op', 'id', 'topics', 'since', 'name', 'data'])(
    '[I-8] survives a `%s` nested half a million levels deep',
    (member) => {
      const deep = '['.repeat(500_000) + ']'.repeat(500_000);
      for (const op of ['"subscribe"', '"send"', '"x"']) {
        const rest = member === 'op' ? '"id":1' : `"op":${op},"${member}":${deep}`;
        const text = member === 'op' ? `{"op":${deep},${rest}}` : `{${rest}}`;
        codeOf(() => decodeClientFrame(text, 2_000_000));
        expect(() => peekId(text)).not.toThrow();
      }
    },
  );
});

describe('idOfFrame', () => {
  it.each([
    ['{"op":"x","id":7}', 7],
    ['{"id":-1}', undefined],
    ['{"id":"7"}', undefined],
    ['{}', undefined],
  ])('finds, in %s, the id %s', (text, expected) => {
    expect(idOfFrame(parseClientFrame(text))).toBe(expected);
  });
});

describe('peekId', () => {
  it.each([
    [encodeFrame({ op: 'subscribe', id: 7, topics: ['#'] }), 7],
    ['{"op":"send","id":9007199254740991}', Number.MAX_SAFE_INTEGER],
    ['{"op":"send","id":9007199254740992}', undefined],
    [`{"op":"send","id":7,"data":${'['.repeat(500_000)}`, 7],
    ['{"op":"send","data":{"id":7}}', undefined],
    ['{"op":"send","id":-1}', undefined],
    ['{', undefined],
    ['', undefined],
  ])('finds, in %.40s, the id %s', (text, expected) => {
    expect(peekId(text)).toBe(expected);
  });
});

describe('decodeGatewayFrame', () => {
  it.each(gatewayFrames.map((frame) => [encodeFrame(frame).slice(0, 60), frame] as const))(
    'reads a frame as it was written: %s',
    (_, frame) => {
      const read = decodeGatewayFrame(encodeFrame(frame));
      expect(read).toEqual(frame);
      expect(read && isEvent(read)).toBe(false);
    },
  );

  it.each([
    ['whose data has an op', { ...event, data: { op: 'x' } }],
    [
      'with an extension attribute op: no producer can forge a control frame',
      { op: 'draining', reconnectInMs: 0, ...event },
    ],
  ])('reads an event %s', (_, sent) => {
    const read = decodeGatewayFrame(JSON.stringify(sent));
    expect(read).toEqual(sent);
    expect(read && isEvent(read)).toBe(true);
  });

  it.each(['{"op":"later"}', '{"op":"toString"}', '{"op":7}', '{"op":null}'])(
    'ignores %s, which a later gateway may send',
    (text) => {
      expect(decodeGatewayFrame(text)).toBeUndefined();
    },
  );

  it('refuses a frame with a member that is missing or of the wrong type', () => {
    for (const frame of gatewayFrames) {
      const required = Object.keys(frame).filter(
        (name) => !['op', 'data'].includes(name) && !(frame.op === 'error' && name === 'id'),
      );
      for (const name of required) {
        const without = Object.fromEntries(Object.entries(frame).filter(([key]) => key !== name));
        expect(codeOf(() => decodeGatewayFrame(JSON.stringify(without)))).toBe('FRAME_INVALID');
        expect(codeOf(() => decodeGatewayFrame(JSON.stringify({ ...frame, [name]: { of: 'another kind' } })))).toBe(
          'FRAME_INVALID',
        );
      }
    }
  });

  it.each([[1], [[]], [{}], [{ ...event, topic: '' }], [{ op: 'batch', events: [] }]])(
    'refuses a batch that holds %j, which is not an event',
    (other) => {
      expect(codeOf(() => decodeGatewayFrame(JSON.stringify({ op: 'batch', events: [event, other] })))).toBe(
        'EVENT_INVALID',
      );
    },
  );

  it('throws only PregonError, whatever a gateway sends', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .constantFrom(...gatewayFrames)
        .chain((frame) =>
          fc
            .record({ op: fc.constant(frame.op), id: json, rows: json, position: json }, { requiredKeys: ['op'] })
            .map((value) => JSON.stringify(value)),
        ),
    );
    fc.assert(
      fc.property(hostile, (text) => void codeOf(() => decodeGatewayFrame(text))),
      { numRuns: 2_000 },
    );
  });
});
