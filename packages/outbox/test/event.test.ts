import { DEFAULT_MAX_EVENT_BYTES } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEvent, withSequence } from '../src/event.js';

const options = { source: '/auction', now: Date.UTC(2025, 0, 2), maxEventBytes: DEFAULT_MAX_EVENT_BYTES };
const event = { exchange: 'my_events', topic: 'user.42.created', type: 'UserWasCreated' };

describe('encodeEvent', () => {
  it('adds the source of the outbox, an id that sorts by time, and the time to an event', () => {
    const { event: complete } = encodeEvent(event, options);
    expect(complete).toMatchObject({
      ...event,
      specversion: '1.0',
      source: '/auction',
      time: '2025-01-02T00:00:00.000Z',
    });
    expect(complete.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('keeps an id and a time from the caller', () => {
    const { event: complete } = encodeEvent({ ...event, id: 'a', time: '2020-01-01T00:00:00Z' }, options);
    expect(complete).toMatchObject({ id: 'a', time: '2020-01-01T00:00:00Z' });
  });

  it('refuses an event of another source, since it could not count the sequence of that source', () => {
    const elsewhere = { ...event, source: '/elsewhere' };
    const here = { ...event, source: '/auction' };
    expect(() => encodeEvent(elsewhere, options)).toThrow(TypeError);
    expect(encodeEvent(here, options).event.source).toBe('/auction');
  });

  it('refuses data that JSON would leave out', () => {
    for (const data of [() => 1, Symbol('s')])
      expect(() => encodeEvent({ ...event, data }, options)).toThrow(TypeError);
    expect(encodeEvent({ ...event, data: undefined }, options).event).not.toHaveProperty('data');
  });

  it('computes the size of the event including its sequence before it has one', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (data, sequence) => {
        const { event: complete, text, bytes } = encodeEvent({ ...event, data }, options);
        expect(bytes).toBe(Buffer.byteLength(JSON.stringify(withSequence(complete, sequence))));
        // The relay must read as many bytes as were written: otherwise a log could refuse an event that `add` accepted.
        expect(Buffer.byteLength(JSON.stringify(JSON.parse(text)))).toBe(Buffer.byteLength(text));
      }),
      { numRuns: 300 },
    );
  });
});
