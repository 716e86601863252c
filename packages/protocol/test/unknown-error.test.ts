import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageOf, toError } from '../src/index.js';

/** Values that throw when they are looked at. */
const HOSTILE: Readonly<Record<string, () => unknown>> = {
  'an object without a prototype': () => Object.create(null),
  'a proxy that was revoked': () => revoked({}),
  'a function proxy that was revoked': () => revoked(() => {}),
  'an error behind a proxy that was revoked': () => revoked(new Error('gone')),
  'an error whose message throws': () => withMessage({ get: () => raise() }),
  'an error whose message is no text': () => withMessage({ value: { toString: raise } }),
  'an object whose text throws': () => ({ toString: raise }),
  'an object whose text is an object': () => ({ toString: () => ({}), valueOf: () => ({}) }),
  'an object whose text throws what has no text': () => ({
    toString() {
      throw Object.create(null);
    },
  }),
  'an object whose prototype throws': () => new Proxy({}, { getPrototypeOf: raise }),
};

describe('what was thrown', () => {
  it('stays the same error, with its message', () => {
    const kinds = [Error, TypeError, RangeError, class Own extends Error {}];
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.string(), (Kind, message) => {
        const error = new Kind(message);
        expect(toError(error)).toBe(error);
        expect(messageOf(error)).toBe(message || error.name);
      }),
    );
  });

  it('is told by its code or its name if it is an error without a message', () => {
    expect(messageOf(new AggregateError([]))).toBe('AggregateError');
    expect(messageOf(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
  });

  it('becomes an error with its text if it is none', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ minLength: 1 }), fc.double(), fc.bigInt(), fc.boolean(), fc.constant(null)),
        (value) => {
          expect(messageOf(value)).toBe(String(value));
          expect(toError(value).message).toBe(String(value));
        },
      ),
    );
    expect(toError(undefined).message).toBe('undefined');
    expect(toError(Symbol('gone')).message).toBe('Symbol(gone)');
    expect(toError({ toString: () => 'gone' }).message).toBe('gone');
  });

  it('never makes its report fail, whatever it is', () => {
    const anything = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withSparseArray: true });
    fc.assert(fc.property(anything, holds));
    // An error may have any own field, a text or not as its message.
    const odd = fc.anything({ withNullPrototype: true }).map((message) => withMessage({ value: message }));
    fc.assert(fc.property(odd, holds));
  });

  it.each(Object.entries(HOSTILE))('never makes its report fail: %s', (_, make) => {
    holds(make());
  });
});

function holds(thrown: unknown): void {
  const message = messageOf(thrown);
  expect(message).toMatch(/./su);
  const error = toError(thrown);
  expect(error).toBeInstanceOf(Error);
  expect(messageOf(error)).toBe(message);
  expect(typeof error.message).toBe('string');
}

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function withMessage(message: PropertyDescriptor): Error {
  return Object.defineProperty(new Error('replaced'), 'message', message);
}

function raise(): never {
  throw new Error('looked at');
}
