import type { Random } from '../../chaos/random.js';

export function randomBytes(random: Random, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at++) bytes[at] = random.integer(0, 255);
  return bytes;
}

/** The bytes with a few changes: a bit flipped, or a piece lost, doubled, cut off or replaced. */
export function mutated(random: Random, bytes: Buffer): Buffer {
  let result = Buffer.from(bytes);
  for (let change = random.integer(1, 4); change > 0 && result.length > 0; change--) {
    const at = random.integer(0, result.length - 1);
    const length = Math.min(result.length - at, random.integer(1, 20));
    const piece = result.subarray(at, at + length);
    const before = result.subarray(0, at);
    const after = result.subarray(at + length);
    switch (random.integer(0, 6)) {
      case 0:
        result[at] = (result[at] ?? 0) ^ (1 << random.integer(0, 7));
        break;
      case 1:
        result = Buffer.concat([before, after]);
        break;
      case 2:
        result = Buffer.concat([before, piece, piece, after]);
        break;
      case 3:
        result = Buffer.from(before);
        break;
      case 4:
        result = Buffer.concat([before, randomBytes(random, random.integer(1, 8)), after]);
        break;
      case 5:
        result = Buffer.concat([before, Buffer.from(random.pick(SPLINTERS)), after]);
        break;
      default:
        result[at] = random.integer(0, 255);
    }
  }
  return result;
}

/** Bytes that have a meaning for some parser. */
const SPLINTERS = [
  ...[
    '\r\n',
    '\n',
    '\0',
    '\r\n\r\n',
    '"',
    '\\',
    '{',
    '[',
    ']',
    '}',
    ',',
    ':',
    '%00',
    '%',
    '\u2028',
    '\ufeff',
    '\u202e',
  ],
  ...['-1', '1e999', '9007199254740993', '0x10', 'null', 'NaN', '__proto__', '#', '*', '.', '..', '\x1e', '\x7f'],
  ...['\xff', '\ud800', '💥'],
];
