import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageOf, toError } from '../src/index.js';

/** Values that throw when they are inspected. */
const HOSTILE: Readonly<Record<string, () => unknown>> = {
  'an object without a prototype': () => Object.create(null),
  'a proxy that was revoked': () => revoked({}),
  'a function proxy that was revoked': () => revoked(() => {}),
  'an error behind a proxy that was revoked': () => revoked(new Error('gone')),
  'an error whose message throws': () => withMessage({ get: () => raise() }),
  'an error whose message is not a string': () => withMessage({ value: { toString: raise } }),
  'an object whose toString throws': () => ({ toString: raise }),
  'an object whose toString returns an object': () => ({ toString: () => ({}), valueOf: () => ({}) }),
  'an object whose toString throws a value without a text': () => ({
    toString() {
      throw Object.create(null);
    },
  }),
  'an object whose prototype throws': () => new Proxy({}, { getPrototypeOf: raise }),
};

describe('a thrown value', () => {
  it('stays the same if it is an error, with its message', () => {
    const kinds = [Error, TypeError, RangeError, class Own extends Error {}];
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.string(), (Kind, message) => {
        const error = new Kind(message);
        expect(toError(error)).toBe(error);
        expect(messageOf(error)).toBe(message || error.name);
      }),
    );
  });

  it('is described by its code or its name if it is an error without a message', () => {
    expect(messageOf(new AggregateError([]))).toBe('AggregateError');
    expect(messageOf(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
  });

  it('becomes an error with its text if it is not an error', () => {
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

  it('never makes its description fail, whatever it is', () => {
    const anything = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withSparseArray: true });
    fc.assert(fc.property(anything, holds));
    // An error may have any value as an own field `message`, a string or not.
    const odd = fc.anything({ withNullPrototype: true }).map((message) => withMessage({ value: message }));
    fc.assert(fc.property(odd, holds));
  });

  it.each(Object.entries(HOSTILE))('never makes its description fail: %s', (_, make) => {
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
  throw new Error('inspected');
}
