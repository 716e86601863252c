import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLong } from '../../../test/support/long.js';
import { decodePosition, encodePosition, fingerprint, PregonError } from '../src/index.js';

const point = fc.record({ offset: fc.maxSafeNat(), fingerprint: fc.maxSafeNat() });
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz';

function decoded(text: string): string | undefined {
  try {
    return JSON.stringify(decodePosition(text));
  } catch (error) {
    if (error instanceof PregonError && error.code === 'POSITION_INVALID') return undefined;
    throw error;
  }
}

describe('a position', () => {
  it('[I-4] decodes to the point that was encoded', () => {
    fc.assert(
      fc.property(point, (one) => {
        expect(decodePosition(encodePosition(one))).toEqual(one);
      }),
    );
  });

  it('[I-4] is the same text for the same point in every version, since clients store it', () => {
    expect(encodePosition({ offset: 0, fingerprint: 0 })).toBe('0.00000000000s3v');
    expect(encodePosition({ offset: 42, fingerprint: 1_234_567_890_123 })).toBe('16.000fr5hugnf4q7');
    expect(encodePosition({ offset: Number.MAX_SAFE_INTEGER, fingerprint: Number.MAX_SAFE_INTEGER })).toBe(
      '2gosa7pa2gv.2gosa7pa2gv7kb',
    );
  });

  it('has only one text: a text that decodes encodes to itself', () => {
    const nearly = fc.tuple(
      fc.string({ unit: fc.constantFrom(...DIGITS), maxLength: 12 }),
      fc.string({ unit: fc.constantFrom(...DIGITS), minLength: 13, maxLength: 15 }),
    );
    fc.assert(
      fc.property(nearly, ([offset, rest]) => {
        const text = `${offset}.${rest}`;
        const found = decoded(text);
        if (found !== undefined) expect(encodePosition(JSON.parse(found))).toBe(text);
      }),
    );
  });

  it.each([
    '',
    '.',
    'first',
    '0',
    '-1.00000000000000',
    '00.00000000000s3v',
    '0.00000000000S3V',
    '0.00000000000s3v\n',
    '0.00000000000s3',
    '1e3.00000000000s3v',
    'zzzzzzzzzzz.zzzzzzzzzzzzzz',
  ])('[I-4] is not read from %j', (text) => {
    expect(() => decodePosition(text)).toThrow(expect.objectContaining({ code: 'POSITION_INVALID', retryable: false }));
  });

  it('is read from any text, or the error is POSITION_INVALID', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void decoded(text)));
  });

  // A garbled position that passes is not a point of the log: its fingerprint differs, and the answer is `reset`.
  it.each([
    ['one character changed', changed, 1 / 20_000, isLong ? 300 : 75],
    ['two neighbours swapped', swapped, 1 / 500, 300],
    ['one character lost or doubled', lostOrDoubled, 0, 300],
  ] as const)('[I-4] with %s is refused, with few exceptions', (_, garble, share, numRuns) => {
    let passed = 0;
    let tried = 0;
    fc.assert(
      fc.property(point, (one) => {
        const text = encodePosition(one);
        for (const garbled of garble(text)) {
          if (garbled === text) continue;
          tried += 1;
          const found = decoded(garbled);
          if (found === undefined) continue;
          passed += 1;
          expect(found).not.toBe(JSON.stringify(one));
        }
      }),
      { numRuns, seed: 1 },
    );
    expect(tried).toBeGreaterThan(5_000);
    expect(passed / tried).toBeLessThanOrEqual(share);
  });
});

function* changed(text: string): Generator<string> {
  for (let at = 0; at < text.length; at++) {
    for (const digit of DIGITS) yield text.slice(0, at) + digit + text.slice(at + 1);
  }
}

function* swapped(text: string): Generator<string> {
  for (let at = 1; at < text.length; at++) {
    yield text.slice(0, at - 1) + text.charAt(at) + text.charAt(at - 1) + text.slice(at + 1);
  }
}

function* lostOrDoubled(text: string): Generator<string> {
  for (let at = 0; at < text.length; at++) {
    yield text.slice(0, at) + text.slice(at + 1);
    yield text.slice(0, at) + text.slice(at, at + 1) + text.slice(at);
  }
}

describe('fingerprint', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it('[I-4] is the same number in every version, since logs store it', () => {
    const values = ['', 'a', 'ab', 'abc', 'abcd', 'abcde', '{"id":"1"}'].map((text) => fingerprint(bytes(text)));
    expect(values).toEqual([
      3424582272668546, 7774537937499633, 6464953203425614, 2987323412872467, 7667884919372032, 8758645793547729,
      1695906439081596,
    ]);
  });

  it('is an integer that a position can hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (one) => {
        const value = fingerprint(one);
        expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
        expect(fingerprint(new Uint8Array(one))).toBe(value);
      }),
    );
  });

  const events = isLong ? 1_000_000 : 200_000;

  it(`[I-4] distinguishes ${events} events that differ only in a number`, () => {
    const seen = new Set<number>();
    for (let n = 0; n < events; n++) seen.add(fingerprint(bytes(`{"id":"${n}","type":"UserWasCreated"}`)));
    expect(seen.size).toBe(events);
  });

  it('[I-4] distinguishes all texts that differ in one or two bits, or in their length', () => {
    const base = bytes('{"specversion":"1.0","id":"018f-00"}');
    const seen = new Set([fingerprint(base)]);
    let count = 1;
    for (let first = 0; first < base.length * 8; first++) {
      for (let second = first; second < base.length * 8; second++) {
        const other = base.slice();
        other[first >> 3] = (other[first >> 3] ?? 0) ^ (1 << (first & 7));
        if (second !== first) other[second >> 3] = (other[second >> 3] ?? 0) ^ (1 << (second & 7));
        seen.add(fingerprint(other));
        count += 1;
      }
    }
    for (let length = 0; length < 2_000; length++) {
      seen.add(fingerprint(new Uint8Array(length)));
      count += 1;
    }
    expect(seen.size).toBe(count);
  });

  it('changes about half of its bits if any one bit of the bytes changes', () => {
    const base = bytes('{"specversion":"1.0","id":"018f-00","data":{"n":1}}');
    const before = BigInt(fingerprint(base));
    let changed = 0;
    for (let bit = 0; bit < base.length * 8; bit++) {
      const other = base.slice();
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      changed += (before ^ BigInt(fingerprint(other))).toString(2).replaceAll('0', '').length;
    }
    const share = changed / (base.length * 8) / 53;
    expect(share).toBeGreaterThan(0.45);
    expect(share).toBeLessThan(0.55);
  });
});
