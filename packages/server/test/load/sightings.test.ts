import { createEvent, type LogPoint } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderOfArrival } from '../../src/load/check/order.js';
import { Sightings } from '../../src/load/check/sightings.js';
import { MIN_DATA_BYTES, NumberedEvents } from '../../src/load/numbered-event.js';
import { AesPositionCodec } from '../../src/logs/secrets/position-codec.js';

const TIME = '2026-11-20T10:00:00.123Z';

const events = new NumberedEvents('bench0123456789ab', 200);
const positions = new AesPositionCodec('a secret of the test');

/** The bytes of an event as a gateway sends them. */
function frameOf(event: object, offset: number): Buffer {
  const point: LogPoint = { offset, fingerprint: offset % 1_000 };
  const position = positions.encode(point);
  return Buffer.from(JSON.stringify({ ...event, position }));
}

function ownFrame(number: number, offset: number): Buffer {
  const event = events.make(number, 'user.1');
  return frameOf(createEvent({ ...event, exchange: 'e' }, { id: '', time: TIME }), offset);
}

describe('Sightings', () => {
  it('reads number, send time and position of an event of the run, the first time and again', () => {
    const place = fc.record({ number: fc.nat(999_999_999), offset: fc.maxSafeNat() });
    fc.assert(
      fc.property(place, ({ number, offset }) => {
        const sightings = new Sightings(events, new OrderOfArrival());
        const frame = ownFrame(number, offset);
        const { data, position } = JSON.parse(frame.toString());
        const sighting = { ordinal: 1, position, own: { number, sentMicros: Number(data.sent) } };
        expect(sightings.read(frame)).toMatchObject(sighting);
        expect(sightings.read(Buffer.from(frame))).toMatchObject(sighting);
      }),
    );
  });

  it('does not confuse events in the same slot of its memory, and keeps their order', () => {
    const sightings = new Sightings(events, new OrderOfArrival());
    // More events than it remembers: some share a slot, and replaced ones are read again.
    const all = Array.from({ length: 5_000 }, (_, index) => index + 1);
    for (const round of [1, 2]) {
      const seen = all.map((number) => sightings.read(ownFrame(number, number)));
      expect(seen.map((one) => one?.own?.number)).toEqual(all);
      expect(
        seen.map((one) => one?.ordinal),
        `round ${round}`,
      ).toEqual(all);
    }
  });

  it('reads a frame from a buffer that is reused', () => {
    const sightings = new Sightings(events, new OrderOfArrival());
    const buffer = Buffer.alloc(1_000);
    const first = ownFrame(1, 5);
    first.copy(buffer);
    const sighting = sightings.read(buffer.subarray(0, first.length));
    const second = ownFrame(2, 6);
    second.copy(buffer);
    expect(sightings.read(buffer.subarray(0, second.length))?.own?.number).toBe(2);
    expect(sightings.read(first)).toEqual(sightings.read(Buffer.from(first)));
    expect(sighting?.own?.number).toBe(1);
  });

  it('reads the time of a foreign event, whatever its data', () => {
    const sightings = new Sightings(events, new OrderOfArrival());
    const data = { text: `ü"}\n,"position":"${'0'.repeat(35)}"}`, run: 'bench0123456789ab-000000000001' };
    const event = createEvent({ exchange: 'e', topic: 't', type: 'T', data }, { id: 'x', time: TIME });
    const happenedMicros = Date.parse(TIME) * 1_000;
    expect(sightings.read(frameOf(event, 9))).toMatchObject({ ordinal: 1, own: undefined, happenedMicros });
    const timeless = { specversion: '1.0', id: 'x', source: '/' };
    expect(sightings.read(frameOf(timeless, 10))).toMatchObject({ ordinal: 2, happenedMicros: undefined });
  });

  it.each([
    '',
    'hello',
    '{}',
    '{"op":"pong"}',
    `{"a":"${'0'.repeat(35)}"}`,
    `{"a":1,"position":"${'0'.repeat(35)}"`,
    `{"a":1,"position":"${'0'.repeat(34)}"}`,
    'x"}',
  ])('does not read %j as an event', (text) => {
    expect(new Sightings(events, new OrderOfArrival()).read(Buffer.from(text))).toBeUndefined();
  });
});

describe('NumberedEvents', () => {
  it('create data of the requested size, but at least of the required content', () => {
    for (const size of [0, MIN_DATA_BYTES, 200, 5_000]) {
      const { data } = new NumberedEvents('bench0123456789ab', size).make(1, 't');
      expect(JSON.stringify(data).length).toBe(Math.max(MIN_DATA_BYTES, size));
    }
  });
});
