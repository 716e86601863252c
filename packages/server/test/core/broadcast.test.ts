import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBroadcast, encodeBroadcast } from '../../src/core/broadcasts/broadcast.js';
import { Message } from '../../src/core/broadcasts/message.js';

const data = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.constant(undefined),
);

describe('a broadcast', () => {
  it('arrives unchanged at another gateway: value, text, bytes or nothing', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), data, (route, name, value) => {
        const read = decodeBroadcast(encodeBroadcast({ route, message: new Message(name, value) }));
        expect(read.route).toBe(route);
        expect(read.message.name).toBe(name);
        // JSON has no negative zero.
        expect(read.message.data).toEqual(value instanceof Uint8Array ? value : again(value));
      }),
    );
  });

  it.each(['', 'text', '1', 'null', '[]', '{"route":"r"}', '{"name":"n"}', '{"route":1,"name":"n"}'])(
    'is not decoded from %j',
    (text) => {
      expect(() => decodeBroadcast(text)).toThrow(/./);
    },
  );
});

function again(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
