import { serialize } from 'node:v8';
import { MessageType } from 'socket.io-adapter';
import { describe, expect, it } from 'vitest';
import { type BusMessage, decodeBusMessage, encodeBusMessage } from '../../src/transports/socketio/bus/bus-message.js';

function broadcast(...data: unknown[]): BusMessage {
  const opts = { rooms: ['a'], except: ['b'], flags: { volatile: true } };
  return {
    uid: 'u',
    nsp: '/chat',
    type: MessageType.BROADCAST,
    data: { opts, packet: { type: 2, data }, requestId: 'r' },
  };
}

/** The arguments of an emit at the other gateway. */
function sent(...data: unknown[]): unknown {
  const message = decodeBusMessage(encodeBusMessage(broadcast(...data)));
  return Reflect.get(Object(Reflect.get(Object(Reflect.get(message, 'data')), 'packet')), 'data');
}

describe('messages between gateways', () => {
  it('arrive unchanged, with bytes at any depth', () => {
    expect(decodeBusMessage(encodeBusMessage(broadcast('told', 1)))).toEqual(broadcast('told', 1));
    const bytes = Buffer.from([0, 255, 128]);
    expect(sent('told', bytes, { deep: [bytes] })).toEqual(['told', bytes, { deep: [bytes] }]);
    expect(sent(new Uint16Array([258]), new Uint8Array([7]).buffer)).toEqual([Buffer.from([2, 1]), Buffer.from([7])]);
    expect(sent(new DataView(bytes.buffer, bytes.byteOffset + 1, 2))).toEqual([Buffer.from([255, 128])]);
  });

  it('keep an object that looks like bytes unchanged', () => {
    const lookalike = { $bytes: 'AAAA', more: { $bytes: { $bytes: 'x' } } };
    expect(sent(lookalike)).toEqual([lookalike]);
  });

  it('carry the values that clients would get: dates as texts, no functions', () => {
    expect(sent({ at: new Date(0), call() {} }, undefined)).toEqual([{ at: '1970-01-01T00:00:00.000Z' }, null]);
  });

  it('throw at the caller for a cyclic value, or a value that JSON cannot represent', () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(() => encodeBusMessage(broadcast(loop))).toThrow(RangeError);
    expect(() => encodeBusMessage(broadcast(1n))).toThrow(TypeError);
  });

  it.each([
    serialize(broadcast('told')).toString('base64'),
    'null',
    '[]',
    '{}',
    '{"uid":"u","nsp":"/","type":99}',
    '{"uid":"u","nsp":"/","type":3}',
    '{"uid":"u","nsp":"/","type":3,"data":{"packet":{"type":2,"data":{}},"opts":{"rooms":[]}}}',
    '{"uid":"u","nsp":"/","type":4,"data":{"rooms":[{}],"opts":{"rooms":[]}}}',
    '{"uid":{},"nsp":"/","type":2}',
    '{"uid":"u","nsp":"/","type":9,"data":{"packet":{"length":3}}}',
  ])('[fault B6] are not read from %s', (text) => {
    expect(() => decodeBusMessage(text)).toThrow(/./);
  });

  it('include an answer without a value', () => {
    const answer: BusMessage = {
      uid: 'u',
      nsp: '/',
      type: MessageType.BROADCAST_ACK,
      data: { requestId: 'r', packet: undefined },
    };
    expect(decodeBusMessage(encodeBusMessage(answer))).toMatchObject({ data: { requestId: 'r' } });
  });
});
