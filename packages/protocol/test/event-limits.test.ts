import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertEventLimits, assertMaxEventBytes, createEvent, EVENT_LIMITS, type NewEvent } from '../src/index.js';

const event: NewEvent = { exchange: 'my_events', topic: 'user.1', type: 'UserWasCreated', data: { id: 1 } };

function check(overrides: Partial<NewEvent>): void {
  const complete = createEvent({ ...event, ...overrides }, { id: '1', time: '2026-01-01T00:00:00Z' });
  assertEventLimits(complete, JSON.stringify(complete));
}

/** An empty array inside `levels - 1` others. */
function nested(levels: number): unknown {
  return JSON.parse('['.repeat(levels) + ']'.repeat(levels));
}

describe('[fault C4] the limits of an event', () => {
  const sizes = [
    ['exchange', EVENT_LIMITS.exchangeBytes],
    ['type', EVENT_LIMITS.typeBytes],
    ['id', EVENT_LIMITS.idBytes],
    ['source', EVENT_LIMITS.sourceBytes],
    ['subject', EVENT_LIMITS.subjectBytes],
  ] as const;

  it.each(sizes)('allow %s at most %i bytes of UTF-8, however few characters that is', (name, bytes) => {
    for (const character of ['x', 'é', '漢', '𝄞']) {
      const size = Buffer.byteLength(character);
      const longest = character.repeat(Math.floor(bytes / size)) + 'x'.repeat(bytes % size);
      expect(() => check({ [name]: longest })).not.toThrow();
      expect(() => check({ [name]: `${longest}x` })).toThrow(
        expect.objectContaining({
          code: 'EVENT_INVALID',
          message: expect.stringContaining(`${name} has ${bytes + 1} `),
        }),
      );
    }
  });

  it('count bytes as an encoder does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 400 }), (subject) => {
        const fits = Buffer.byteLength(subject) <= EVENT_LIMITS.subjectBytes;
        if (fits) expect(() => check({ subject })).not.toThrow();
        else expect(() => check({ subject })).toThrow(/subject has/);
      }),
    );
  });

  it.each(['a\nb', 'a\r', '\0', 'a\u0085', '\ud800', 'amq.', 'amq.direct', 'amq.mine', 'amq.rabbitmq.event'])(
    'refuse the name %j for an exchange',
    (exchange) => {
      expect(() => check({ exchange })).toThrow(expect.objectContaining({ code: 'EVENT_INVALID' }));
    },
  );

  it.each(['my events', 'ünï', 'amq', 'amqp.events', 'amq.topic', 'amq.fanout', '漢字', '👩‍👩‍👧'])(
    'allow the name %j for an exchange',
    (exchange) => {
      expect(() => check({ exchange })).not.toThrow();
    },
  );

  it('include nesting, counted from the event itself', () => {
    expect(() => check({ data: nested(EVENT_LIMITS.depth - 1) })).not.toThrow();
    expect(() => check({ data: nested(EVENT_LIMITS.depth) })).toThrow(/nested more than 256 levels/);
    expect(() => check({ data: '['.repeat(1_000) })).not.toThrow();
    expect(() => check({ data: Array.from({ length: 1_000 }, () => [[]]) })).not.toThrow();
  });

  it('include maxEventBytes, an integer up to 64 MiB', () => {
    for (const bytes of [1, EVENT_LIMITS.maxEventBytes]) expect(() => assertMaxEventBytes(bytes)).not.toThrow();
    for (const bytes of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, EVENT_LIMITS.maxEventBytes + 1]) {
      expect(() => assertMaxEventBytes(bytes)).toThrow(RangeError);
    }
  });
});
