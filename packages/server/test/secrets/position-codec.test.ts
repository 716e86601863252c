import { encodePosition, fingerprint, type LogPoint, PregonError } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveKey } from '../../src/logs/secrets/derive-key.js';
import { AesPositionCodec } from '../../src/logs/secrets/position-codec.js';

const codec = new AesPositionCodec(Buffer.alloc(32, 1));
const other = new AesPositionCodec(Buffer.alloc(32, 2));
const points: fc.Arbitrary<LogPoint> = fc.record({ offset: fc.maxSafeNat(), fingerprint: fc.maxSafeNat() });

describe('[I-4] keyed positions', () => {
  it('name their point, in at most 40 characters', () => {
    fc.assert(
      fc.property(points, (point) => {
        const position = codec.encode(point);
        expect(codec.decode(position)).toEqual(point);
        expect(position).toMatch(/^[0-9a-f]{32}[0-9a-z]{3}$/);
      }),
    );
  });

  it('are the same whether they are made one by one or together', () => {
    for (const count of [0, 1, 2, 1_023, 1_024, 1_025, 2_500]) {
      const many = Array.from({ length: count }, (_, index) => ({ offset: index, fingerprint: index * 7 }));
      expect(codec.encodeAll(many)).toEqual(many.map((point) => codec.encode(point)));
    }
  });

  it('of another key are foreign, but not an error', () => {
    fc.assert(fc.property(points, (point) => other.decode(codec.encode(point)) === undefined));
  });

  it('in the form of release 0.1 are foreign, but not an error', () => {
    fc.assert(fc.property(points, (point) => codec.decode(encodePosition(point)) === undefined));
  });

  it('that are garbled are refused', () => {
    const position = codec.encode({ offset: 42, fingerprint: 4_242 });
    const garbled = fc.tuple(fc.nat(position.length - 1), fc.constantFrom(...'0123456789abcdefxyz.~ A'));
    fc.assert(
      fc.property(garbled, ([at, character]) => {
        fc.pre(position[at] !== character);
        const text = position.slice(0, at) + character + position.slice(at + 1);
        expect(() => codec.decode(text)).toThrow(expect.objectContaining({ code: 'POSITION_INVALID' }));
      }),
      { numRuns: 500 },
    );
    for (const text of ['', 'first', position.slice(1), `${position}0`, position.toUpperCase(), '💥'.repeat(20)]) {
      expect(() => codec.decode(text)).toThrow(PregonError);
    }
  });

  it('[fault B4] cannot be computed for a guess of an event that their holder may not see', () => {
    const guess = Buffer.from('{"id":"1","data":{"salary":120000}}');
    const known = { offset: 8, fingerprint: 1 };
    const secretEvent = { offset: 9, fingerprint: fingerprint(guess) };
    // A client can compute the fingerprint of its guess, and knows the position before it.
    const made = encodePosition(secretEvent);
    expect(codec.decode(made)).toBeUndefined();
    expect(codec.encode(secretEvent)).not.toContain(made.split('.')[1]?.slice(0, 11) ?? '');
    const [before, after] = [codec.encode(known), codec.encode({ ...known, offset: 9 })];
    expect(commonDigits(before, after)).toBeLessThan(12);
  });
});

describe('keys of one secret', () => {
  it('differ by their use, and by the secret', () => {
    const [a, b] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const keys = [a, b].flatMap((secret) => [
      deriveKey(secret, 'positions', 32).toString('hex'),
      deriveKey(secret, 'private session ids', 32).toString('hex'),
    ]);
    expect(new Set(keys).size).toBe(4);
  });
});

/** The number of digits that both have in the same place. */
function commonDigits(a: string, b: string): number {
  return [...a].filter((digit, index) => digit === b[index]).length;
}
