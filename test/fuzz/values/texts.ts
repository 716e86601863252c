import type { Random } from '../../chaos/random.js';

const TEXTS = [
  ...['', ' ', 'a', '\0', '\r\n', '\n', '\t', 'é', '\u202e', '\u2028', '\ufeff', '\u0085', '💥', '\ud800', '\udfff'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'length', 'null', 'undefined'],
  ...['0', '-0', '-1', '1.5', '1e999', '9007199254740991', '9007199254740993', '0x10', 'Infinity', 'NaN', 'true'],
  ...['%', '%00', '%zz', '%ff', '../..', '//', '\\', '/etc/passwd', '#', '*', 'a..b', '.', '..', 'first', 'events'],
  ...[
    'a'.repeat(255),
    'a'.repeat(256),
    'é'.repeat(128),
    'x'.repeat(5_000),
    '"',
    "'",
    '{',
    '[',
    '<b>',
    '\x1e',
    '\x1b[31m',
  ],
];

/** A text that parsers have trouble with, or one of random characters. */
export function oddText(random: Random): string {
  if (random.chance(0.75)) return random.pick(TEXTS);
  const length = random.duration(1, 200);
  return Array.from({ length }, () => String.fromCharCode(random.integer(0, random.chance(0.8) ? 127 : 0xffff))).join(
    '',
  );
}

const WORDS = ['a', 'b', 'fuzz', 'user', '42', '*', '#', 'healthy', 'é', 'x'.repeat(60)];

/** A topic or a pattern; one in ten is invalid. */
export function pattern(random: Random): string {
  if (random.chance(0.1)) return oddText(random);
  if (random.chance(0.03)) return Array.from({ length: 127 }, () => random.pick(['#', '*', '#'])).join('.');
  return Array.from({ length: random.integer(1, random.chance(0.9) ? 4 : 40) }, () => random.pick(WORDS)).join('.');
}

/** Usually a few patterns, sometimes as many as are allowed, or more. */
export function patterns(random: Random): string[] {
  const count = random.chance(0.93) ? random.integer(0, 4) : random.pick([50, 100, 999, 1_000, 1_001, 2_000]);
  return Array.from({ length: count }, (_, i) => (count > 10 ? `${pattern(random)}.${i}` : pattern(random)));
}

/** A position that is valid, of another log or key, of the old form, or not a position. */
export function position(random: Random, known: readonly string[]): string {
  const valid = known.length > 0 && random.chance(0.8) ? random.pick(known) : '2s.0k3j9x0a1b27q';
  switch (random.integer(0, 9)) {
    case 0:
    case 1:
      return valid;
    case 2:
      return 'first';
    case 3: {
      const at = random.integer(0, Math.max(0, valid.length - 1));
      return valid.slice(0, at) + random.pick([...'0123456789abcdefxyz.']) + valid.slice(at + 1);
    }
    case 4:
      return valid.toUpperCase();
    case 5:
      return hex(random, random.pick([31, 32, 35, 36, 40, 41]));
    case 6:
      return `${hex(random, 35)}`;
    case 7:
      return `${random.integer(0, 99_999).toString(36)}.${digits(random, 14)}`;
    case 8:
      return valid.slice(0, random.integer(0, valid.length)) + valid;
    default:
      return oddText(random);
  }
}

function hex(random: Random, length: number): string {
  return Array.from({ length }, () => random.integer(0, 15).toString(16)).join('');
}

function digits(random: Random, length: number): string {
  return Array.from({ length }, () => random.integer(0, 35).toString(36)).join('');
}

/** Percent-encodes a text; half a surrogate pair, which that cannot express, is replaced. */
export function encoded(text: string): string {
  return encodeURIComponent(text.replace(/[\ud800-\udfff]/g, '\ufffd'));
}
