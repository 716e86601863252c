import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SameStream } from '../../../bench/load/same-stream.js';
import { createOrder } from '../../../bench/orders.js';

/** A compressed frame of a server; it may refer to the compressed texts before it. */
function frame(text: string, before = ''): Buffer {
  const dictionary = before === '' ? {} : { dictionary: Buffer.from(before) };
  const payload = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH, ...dictionary }).subarray(0, -4);
  return Buffer.concat([Buffer.from([0xc1, 126, payload.length >> 8, payload.length & 0xff]), payload]);
}

describe('The load client for compressed events', () => {
  const texts = [1, 2, 3].map((number) => JSON.stringify(createOrder(number)));
  const wire = Buffer.concat(texts.map((text) => frame(text)));

  it('inflates the common bytes of all connections once, however each connection receives them in pieces', async () => {
    const stream = new SameStream();
    const read: string[] = [];
    for (let at = 0; at < wire.length; at += 100) {
      const piece = wire.subarray(at, at + 100);
      expect(stream.matches(at, piece, piece.length)).toBe(true);
      read.push(...(await stream.read()));
    }
    expect(stream.matches(0, wire, wire.length)).toBe(true);
    expect([...read, ...(await stream.read())]).toEqual(texts);
    expect(stream.length).toBe(wire.length);
  });

  it('inflates frames that refer to earlier ones, and independent frames between them', async () => {
    const [first = '', second = '', third = ''] = texts;
    const stream = new SameStream();
    const frames = Buffer.concat([
      frame(first),
      frame(second, first),
      frame(third),
      frame(first, first + second + third),
    ]);
    expect(stream.matches(0, frames, frames.length)).toBe(true);
    expect(await stream.read()).toEqual([first, second, third, first]);
  });

  it('notices a single differing byte at any place', () => {
    const stream = new SameStream();
    stream.matches(0, wire, wire.length);
    for (let at = 0; at < wire.length; at += 37) {
      const other = Buffer.from(wire);
      other.writeUInt8(other.readUInt8(at) ^ 1, at);
      expect(stream.matches(0, other, other.length)).toBe(false);
    }
  });
});

describe('The compressed orders', () => {
  it('have about 1 KB, are equal for equal numbers, and differ for different ones', () => {
    const sizes = Array.from({ length: 200 }, (_, number) => JSON.stringify(createOrder(number)).length);
    expect(Math.min(...sizes)).toBeGreaterThan(900);
    expect(Math.max(...sizes)).toBeLessThan(1_250);
    expect(createOrder(7)).toEqual(createOrder(7));
    const notes = new Set(Array.from({ length: 50 }, (_, number) => JSON.stringify(createOrder(number).data)));
    expect(notes.size).toBe(50);
  });
});
