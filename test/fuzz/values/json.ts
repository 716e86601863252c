import type { Random } from '../../chaos/random.js';
import { mutated } from './bytes.js';
import { oddText } from './texts.js';

/** JSON as text, because no JavaScript value can express doubled keys, huge numbers or extreme depth. */
export function jsonText(random: Random, depth = 3): string {
  const kind = random.integer(0, depth > 0 ? 8 : 5);
  switch (kind) {
    case 0:
      return String(random.integer(-3, 100));
    case 1:
      return random.pick([
        '0',
        '-0',
        '1e999',
        '-1e999',
        '1e-999',
        '9007199254740993',
        '1'.repeat(400),
        '1.0',
        '01',
        '+1',
      ]);
    case 2:
      return random.pick(['null', 'true', 'false', '""', '{}', '[]', 'undefined', 'NaN', '']);
    case 3:
    case 4:
    case 5:
      return JSON.stringify(oddText(random));
    case 6:
      return `[${list(random, () => jsonText(random, depth - 1))}]`;
    default:
      return `{${list(random, () => `${JSON.stringify(oddText(random))}:${jsonText(random, depth - 1)}`)}}`;
  }
}

function list(random: Random, item: () => string): string {
  return Array.from({ length: random.integer(0, 4) }, item).join(',');
}

/** Nested to the given depth, closed or not. */
export function nestedJson(random: Random, depth: number): string {
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['[[],', ']'],
    ['[{"b":', '}]'],
  ] as const);
  const closed = random.chance(0.7);
  return open.repeat(depth) + (closed ? `1${close.repeat(depth)}` : '');
}

/** Data as clients send it: mostly small, sometimes deep, sometimes large. */
export function dataText(random: Random): string {
  const kind = random.integer(0, 99);
  if (kind < 80) return jsonText(random);
  if (kind < 92) return nestedJson(random, random.pick([10, 63, 64, 65, 100, 1_000]));
  if (kind < 96) return `[${'1,'.repeat(random.duration(10, 2_000))}1]`;
  if (kind < 99 || random.chance(0.7)) return JSON.stringify('x'.repeat(random.duration(100, 60_000)));
  return random.pick([
    () => nestedJson(random, random.duration(1_000, 400_000)),
    () => `{${Array.from({ length: 5_000 }, (_, i) => `"k${i}":0`).join(',')}}`,
    () => JSON.stringify('y'.repeat(1_000_000)),
    () => ' '.repeat(1_000_000),
  ])();
}

/** The text, sometimes with a few changes. */
export function nearly(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text);
  return random.chance(0.8) ? bytes : mutated(random, bytes);
}
