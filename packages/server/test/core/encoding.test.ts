import { decodePosition, encodePosition, fingerprint } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES, Chunk, chunkLength } from '../../src/core/delivery/chunk.js';
import { eventBlocks } from '../../src/transports/sse/event-blocks.js';
import { eventFrames } from '../../src/transports/websocket/event-formats.js';
import { decodeBlocks, decodeEvents, decodeFrames } from './support/decode.js';
import { entry, logged, loggedOfSize } from './support/entries.js';
import { event } from './support/square.js';

describe('LoggedEvent', () => {
  it('[I-4] adds the position to the JSON text, and changes nothing else', () => {
    const of = event('user.42.created', { data: { name: 'Ångström 🚀 "}' } });
    const event7 = logged(entry(7, of));
    const point = { offset: 7, fingerprint: fingerprint(Buffer.from(JSON.stringify(of))) };
    expect(event7.parse()).toEqual({ ...of, position: encodePosition(point) });
    expect(decodePosition(event7.position)).toEqual(point);
    expect(event7.offset).toBe(7);
  });

  it('computes its exact size and end, for any text and any offset', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.maxSafeNat(), fc.nat(20), (data, offset, at) => {
        const one = logged(entry(offset, event('t', { data })));
        const target = Buffer.alloc(at + one.size + 5, 0xee);
        expect(one.write(target, at)).toBe(at + one.size);
        expect(JSON.parse(target.toString('utf8', at, at + one.size))).toMatchObject({ data });
        expect(target.subarray(0, at).every((byte) => byte === 0xee)).toBe(true);
        expect([...target.subarray(at + one.size)]).toEqual([0xee, 0xee, 0xee, 0xee, 0xee]);
      }),
    );
  });
});

describe('WebSocket frames', () => {
  const headers: [size: number, header: number[]][] = [
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [127, [0x81, 126, 0, 127]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    [1_048_576, [0x81, 127, 0, 0, 0, 0, 0, 16, 0, 0]],
  ];

  it.each(headers)('have the header of RFC 6455 section 5.2 for an event of %i bytes', (size, header) => {
    const logged = loggedOfSize(1, size);
    expect(logged.size).toBe(size);
    const bytes = new Chunk(0, 1, [logged]).bytes(eventFrames);
    expect([...bytes.subarray(0, header.length)]).toEqual(header);
    expect(bytes.length).toBe(header.length + size);
    expect(decodeFrames(bytes)).toHaveLength(1);
    expect(decodeEvents(bytes, 'websocket')[0]?.position).toBe(logged.position);
  });

  it('[I-1] of a chunk are one for each event, in order, with nothing in between', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 130, max: 70_000 }), { maxLength: 6 }), (sizes) => {
        const events = sizes.map((size, index) => loggedOfSize(index + 1, size));
        const bytes = new Chunk(0, 9, events).bytes(eventFrames);
        expect(decodeEvents(bytes, 'websocket').map(({ position }) => position)).toEqual(
          events.map(({ position }) => position),
        );
      }),
    );
  });
});

describe('blocks of an event stream', () => {
  it('have the position as id and the whole event as one line of data, whatever its content', () => {
    const hostile = ['\n', '\r', '\r\n\r\n', '\0', '\u2028', '\ud800', 'data: x\n\nid: 1\n\n', '🚀', ''];
    const events = hostile.map((data, index) => logged(entry(index + 1, event('t', { data }))));
    const bytes = new Chunk(0, 9, events).bytes(eventBlocks);
    expect(decodeBlocks(bytes).map(({ id }) => id)).toEqual(events.map(({ position }) => position));
    expect(decodeEvents(bytes, 'sse').map(({ data }) => data)).toEqual(hostile);
  });
});

describe('Chunk', () => {
  it('encodes once for each format, and gives the same buffer to all', () => {
    const chunk = new Chunk(0, 1, [loggedOfSize(1, 200)]);
    expect(chunk.bytes(eventFrames)).toBe(chunk.bytes(eventFrames));
    expect(chunk.bytes(eventBlocks)).toBe(chunk.bytes(eventBlocks));
    expect(chunk.bytes(eventBlocks)).not.toBe(chunk.bytes(eventFrames));
  });

  it('[I-7] is at most as large as the limit, or a single event', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 130, max: 90_000 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        const logged = sizes.map((size, index) => loggedOfSize(index + 1, size));
        for (let from = 0; from < logged.length; ) {
          const length = chunkLength(logged, from);
          const bytes = logged.slice(from, from + length).reduce((sum, { size }) => sum + size, 0);
          expect(length).toBeGreaterThan(0);
          expect(length === 1 || bytes <= CHUNK_BYTES).toBe(true);
          const next = logged[from + length];
          expect(next === undefined || bytes + next.size > CHUNK_BYTES).toBe(true);
          from += length;
        }
      }),
    );
  });
});
