import { createEvent, encodePosition } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIN_DATA_BYTES, NumberedEvents } from '../../src/load/numbered-event.js';
import { Sightings } from '../../src/load/sightings.js';

const TIME = '2026-11-20T10:00:00.123Z';

const events = new NumberedEvents('bench0123456789ab', 200);

/** The bytes of an event as a gateway sends it. */
function frameOf(event: object, offset: number): Buffer {
  const position = encodePosition({ offset, fingerprint: offset * 7 });
  return Buffer.from(JSON.stringify({ ...event, position }));
}

function ownFrame(number: number, offset: number): Buffer {
  const event = events.make(number, 'user.1');
  return frameOf(createEvent({ ...event, exchange: 'e' }, { id: '', time: TIME }), offset);
}

describe('Sightings', () => {
  it('reads number, time of sending, offset and position of an event of the run, the first time and again', () => {
    const place = fc.record({ number: fc.nat(999_999_999), offset: fc.maxSafeNat() });
    fc.assert(
      fc.property(place, ({ number, offset }) => {
        const sightings = new Sightings(events);
        const frame = ownFrame(number, offset);
        const { data, position } = JSON.parse(frame.toString());
        const sighting = { offset, position, own: { number, sentMicros: Number(data.sent) } };
        expect(sightings.read(frame)).toMatchObject(sighting);
        expect(sightings.read(Buffer.from(frame))).toMatchObject(sighting);
      }),
    );
  });

  it('does not take an event for another one at the same offset, or in the same place of its memory', () => {
    const sightings = new Sightings(events);
    const numbers = [
      [1, 5],
      [2, 5],
      [3, 5 + 1_024],
      [1, 5],
    ].map(([number = 0, offset = 0]) => sightings.read(ownFrame(number, offset))?.own?.number);
    expect(numbers).toEqual([1, 2, 3, 1]);
  });

  it('reads a frame out of a buffer that is used again', () => {
    const sightings = new Sightings(events);
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

  it('knows when an event of somebody else happened, whatever it holds', () => {
    const sightings = new Sightings(events);
    const data = { text: `ü"}\n,"position":"1.00000000000000"}`, run: 'bench0123456789ab-000000000001' };
    const event = createEvent({ exchange: 'e', topic: 't', type: 'T', data }, { id: 'x', time: TIME });
    const happenedMicros = Date.parse(TIME) * 1_000;
    expect(sightings.read(frameOf(event, 9))).toMatchObject({ offset: 9, own: undefined, happenedMicros });
    const timeless = { specversion: '1.0', id: 'x', source: '/' };
    expect(sightings.read(frameOf(timeless, 10))).toMatchObject({ offset: 10, happenedMicros: undefined });
  });

  it.each([
    '',
    'hello',
    '{}',
    '{"op":"pong"}',
    '{"a":"1.00000000000000"}',
    '{"position":"1.00000000000000"',
    'x".00000000000000"}',
  ])('takes %j for no event', (text) => {
    expect(new Sightings(events).read(Buffer.from(text))).toBeUndefined();
  });
});

describe('NumberedEvents', () => {
  it('makes data of the size that was asked for, and at least what it must hold', () => {
    for (const size of [0, MIN_DATA_BYTES, 200, 5_000]) {
      const { data } = new NumberedEvents('bench0123456789ab', size).make(1, 't');
      expect(JSON.stringify(data).length).toBe(Math.max(MIN_DATA_BYTES, size));
    }
  });
});
