import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertEvent, createEvent, decodeSequence, encodeSequence, PregonError } from '../src/index.js';

const whole = {
  specversion: '1.0',
  id: '1',
  source: '/',
  type: 'UserWasCreated',
  topic: 'user.42.created',
  exchange: 'my_events',
};

describe('assertEvent', () => {
  it('accepts CloudEvents 1.0 with the attributes of Pregon, and any extension beside them', () => {
    for (const more of [{}, { data: null }, { data: { a: 1 } }, { data_base64: 'AA==' }, { traceparent: 'x', n: 1 }]) {
      expect(() => assertEvent({ ...whole, ...more })).not.toThrow();
    }
  });

  it.each([
    ['nothing', undefined],
    ['a string', 'event'],
    ['an array', [whole]],
    ['null', null],
    ['another version', { ...whole, specversion: '0.3' }],
    ['no id', { ...whole, id: '' }],
    ['an id that is a number', { ...whole, id: 7 }],
    ['no source', { ...whole, source: undefined }],
    ['no type', { ...whole, type: '' }],
    ['no exchange', { ...whole, exchange: '' }],
    ['no topic', { ...whole, topic: '' }],
    ['a wildcard in the topic', { ...whole, topic: 'user.#' }],
    ['a blank in the topic', { ...whole, topic: 'user 42' }],
    ['a subject that is not a string', { ...whole, subject: 1 }],
    ['a sequence that is not a string', { ...whole, sequence: 1 }],
    ['a position that is not a string', { ...whole, position: {} }],
    ['data twice', { ...whole, data: 1, data_base64: 'AA==' }],
  ])('refuses %s', (_, value) => {
    expect(() => assertEvent(value)).toThrow(expect.objectContaining({ name: 'PregonError', code: 'EVENT_INVALID' }));
  });

  it('throws only EVENT_INVALID, whatever the value', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        try {
          assertEvent(value);
        } catch (error) {
          expect(error instanceof PregonError && error.code).toBe('EVENT_INVALID');
        }
      }),
    );
  });
});

describe('createEvent', () => {
  const fallback = { id: 'new', time: '2024-01-01T00:00:00Z' };

  it('adds the attributes that are missing', () => {
    expect(createEvent({ exchange: 'e', topic: 'a.b', type: 'T' }, fallback)).toEqual({
      specversion: '1.0',
      id: 'new',
      source: '/',
      type: 'T',
      time: fallback.time,
      topic: 'a.b',
      exchange: 'e',
    });
  });

  it('keeps the attributes that are given', () => {
    const said = { exchange: 'e', topic: 'a', type: 'T', id: '7', source: '/x', subject: 's', time: 't', data: null };
    expect(createEvent(said, fallback)).toEqual({ ...said, specversion: '1.0', datacontenttype: 'application/json' });
  });

  it('refuses attributes that do not form an event', () => {
    expect(() => createEvent({ exchange: 'e', topic: '#', type: 'T' }, fallback)).toThrow(
      expect.objectContaining({ code: 'EVENT_INVALID' }),
    );
  });
});

describe('a sequence', () => {
  it('sorts as text like its number, and decodes to it', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        const [x, y] = [encodeSequence(a), encodeSequence(b)];
        expect(x < y).toBe(a < b);
        expect(decodeSequence(x)).toBe(a);
      }),
    );
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])('cannot be made of %d', (number) => {
    expect(() => encodeSequence(number)).toThrow(RangeError);
  });

  it.each(['', 'a', '-1', '1.5', '0x10', ' 1', '9007199254740992', '1'.repeat(21)])('is not read from %j', (text) => {
    expect(decodeSequence(text)).toBeUndefined();
  });

  it('of another producer is read, whatever its padding', () => {
    expect(decodeSequence('7')).toBe(7);
    expect(decodeSequence('00000000000000000007')).toBe(7);
  });
});
