import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeClientFrame, PregonError, parseClientFrame } from '../src/index.js';

function refusal(text: string, maxDepth = 64, maxValues = 16_384): string | undefined {
  try {
    parseClientFrame(text, 2_000_000, { maxDepth, maxValues });
    return undefined;
  } catch (error) {
    if (error instanceof PregonError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const TOO_DEEP = 'FRAME_INVALID: the JSON is nested more than 64 levels deep';
const TOO_MANY = 'FRAME_TOO_LARGE: the JSON has more than 16384 values';
const nested = (levels: number) => `{"op":"x","d":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;

/** How deep a value is nested, and how many brackets, commas and colons its text has. */
function shapeOf(value: unknown): { depth: number; values: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, values: 0 };
  const members = Object.values(value).map(shapeOf);
  const separators = Math.max(0, members.length - 1) + (Array.isArray(value) ? 0 : members.length);
  return {
    depth: 1 + Math.max(0, ...members.map(({ depth }) => depth)),
    values: 1 + separators + members.reduce((sum, { values }) => sum + values, 0),
  };
}

describe('[fault A7] the shape of a frame', () => {
  it('is limited to 64 levels, of arrays and of objects', () => {
    expect(refusal(nested(64))).toBeUndefined();
    expect(refusal(nested(65))).toBe(TOO_DEEP);
    expect(refusal('['.repeat(1_000_000))).toBe(TOO_DEEP);
    expect(refusal(`{"op":"x","d":${'{"a":'.repeat(100_000)}`)).toBe(TOO_DEEP);
  });

  it.each([
    ['empty arrays', `{"d":[${'[],'.repeat(300_000)}0]}`],
    ['empty objects', `{"d":[${'{},'.repeat(300_000)}0]}`],
    ['numbers', `{"d":[${'1,'.repeat(400_000)}0]}`],
    ['huge numbers', `{"d":[${'1e1000,'.repeat(100_000)}0]}`],
    ['distinct keys', `{${Array.from({ length: 80_000 }, (_, i) => `"k${i}":0`).join(',')}}`],
    ['integer keys', `{${Array.from({ length: 80_000 }, (_, i) => `"${i * 7919}":0`).join(',')}}`],
    ['the same key again and again', `{${'"a":0,'.repeat(150_000)}"a":1}`],
    ['objects of different shapes', `{"d":[${Array.from({ length: 70_000 }, (_, i) => `{"k${i}":0}`).join(',')}]}`],
    ['shallow nesting again and again', `{"d":[${`${'['.repeat(60)}${']'.repeat(60)},`.repeat(8_000)}0]}`],
  ])('is limited in its number of values: 1 MB of %s', (_, text) => {
    expect(refusal(text)).toBe(TOO_MANY);
  });

  it.each([
    ['brackets in a string', JSON.stringify({ d: '['.repeat(400_000) + '{'.repeat(400_000) })],
    ['escapes', JSON.stringify({ d: '"'.repeat(400_000) })],
    ['backslashes', JSON.stringify({ d: '\\'.repeat(400_000) })],
    ['a backslash before the closing quote', JSON.stringify({ 'a\\': '[\\', '"[': ',' })],
    ['a long number', `{"d":${'9'.repeat(1_000_000)}}`],
    ['1 MB of data in 8,000 members', JSON.stringify({ d: Array.from({ length: 8_000 }, () => 'x'.repeat(110)) })],
  ])('does not count %s', (_, text) => {
    expect(refusal(text)).toBeUndefined();
  });

  it('is counted exactly, for any JSON', () => {
    const json = fc.json({ maxDepth: 6 }).map((text) => JSON.stringify(JSON.parse(text)));
    fc.assert(
      fc.property(json, (text) => {
        const frame = `{"d":${text}}`;
        const { depth, values } = shapeOf(JSON.parse(frame));
        expect(refusal(frame, depth, values)).toBeUndefined();
        if (depth > 1)
          expect(refusal(frame, depth - 1, values)).toBe(
            `FRAME_INVALID: the JSON is nested more than ${depth - 1} levels deep`,
          );
        expect(refusal(frame, depth, values - 1)).toBe(`FRAME_TOO_LARGE: the JSON has more than ${values - 1} values`);
      }),
    );
  });

  it('is checked by decodeClientFrame too', () => {
    expect(() => decodeClientFrame(nested(65))).toThrow('nested more than 64 levels deep');
  });
});
