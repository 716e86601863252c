// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references as configurations hold them, not templates
import type { Random } from '../chaos/random.js';
import { mutated } from './values/bytes.js';
import { jsonText } from './values/json.js';
import { oddText } from './values/texts.js';

/** A valid configuration with every key. */
export const COMPLETE = `log: sqlite:data/pregon.db
access: public
exchanges: [my_events]
secret: '\${SECRET:-none}'
workers: 2
socketIo: { pingInterval: 300 }
retention: { maxAge: 7d, maxBytes: 512MB, maxCount: 10 }
websocket:
  routes:
    events:
      path: /events
      snapshot: http://127.0.0.1:5001/snapshots/users
    teams:
      path: /tms
      topics: ['team.#']
      exchanges: [my_events]
      broadcast: true
      compression: { thresholdBytes: 512 }
  allowedOrigins: ['https://shop.example']
  allowNullOrigin: true
  heartbeatMs: 25000
  maxFrameBytes: 1048576
  historyBytes: 16777216
http: { port: 9090, host: 127.0.0.1, token: '\${TOKEN}' }
`;

const KEYS = [
  ...[
    'log',
    'exchanges',
    'secret',
    'workers',
    'socketIo',
    'retention',
    'websocket',
    'routes',
    'path',
    'topics',
    'http',
  ],
  ...[
    'snapshot',
    'handlers',
    'subscribers',
    'allowedOrigins',
    'access',
    'tls',
    'cert',
    'port',
    'token',
    'heartbeatMs',
    'maxAge',
  ],
  ...['__proto__', 'constructor', 'toString', '<<', '? complex', '', '*a', '!!map', '"', 'null', '1', '~'],
];

/** A text for a configuration file: a damaged valid one, YAML of any shape, or YAML that attacks its reader. */
export function configurationText(random: Random): Buffer {
  switch (random.integer(0, 7)) {
    case 0:
    case 1:
    case 2:
      return mutated(random, Buffer.from(COMPLETE));
    case 3:
      return Buffer.from(withOneValueReplaced(random));
    case 4:
      return Buffer.from(block(random, 0));
    case 5:
      return Buffer.from(`{${random.pick(KEYS)}: ${jsonText(random)}, ${random.pick(KEYS)}: ${jsonText(random)}}`);
    case 6:
      return Buffer.from(random.pick(SPECIAL)(random));
    default:
      return mutated(random, Buffer.from(block(random, 0)));
  }
}

function withOneValueReplaced(random: Random): string {
  const lines = COMPLETE.split('\n');
  const at = random.integer(0, lines.length - 2);
  const line = (lines[at] ?? '').replace(/: .*|$/, () => `: ${scalar(random)}`);
  return [...lines.slice(0, at), line, ...lines.slice(at + 1)].join('\n');
}

function block(random: Random, depth: number): string {
  const indent = '  '.repeat(depth);
  return Array.from({ length: random.integer(1, 5) }, () => {
    const key = random.chance(0.9) ? random.pick(KEYS) : oddText(random);
    const value = depth < 4 && random.chance(0.5) ? `\n${block(random, depth + 1)}` : ` ${scalar(random)}\n`;
    return random.chance(0.2) ? `${indent}- ${scalar(random)}\n` : `${indent}${key}:${value}`;
  }).join('');
}

function scalar(random: Random): string {
  return random.pick([
    () => jsonText(random),
    () => oddText(random),
    () => JSON.stringify(oddText(random)),
    () =>
      random.pick([
        '&a x',
        '*a',
        '*none',
        '!!binary AAAA',
        '!!js/function x',
        '!tag y',
        '|',
        '>',
        '0o17',
        '.inf',
        '.nan',
        '~',
      ]),
    () =>
      random.pick([
        '2026-11-30',
        '1_000',
        '0x7fffffffffffffff',
        '9'.repeat(400),
        '512XB',
        '-7d',
        '1e9d',
        'auto',
        '-1',
        'yes',
      ]),
    () => random.pick(['${', '${}', '${NONE}', '${A:-${B}}', '$${', '${TOKEN:-', '${__proto__}', '${constructor}']),
  ])();
}

const SPECIAL: readonly ((random: Random) => string)[] = [
  aliasBomb,
  (random) => `log: ${'['.repeat(random.duration(10, 3_000))}`,
  (random) => `${'{a: '.repeat(random.duration(10, 3_000))}1${'}'.repeat(10)}`,
  (random) => Array.from({ length: random.duration(10, 400) }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  () => 'a: &a [*a]\n',
  () => 'websocket: &w\n  routes: *w\n',
  () => '%YAML 9.9\n---\nlog: x\n',
  () => '---\nlog: a\n---\nlog: b\n',
  () => '\ufefflog: a\n',
  () => '\0\0\0',
  (random) => `log: "${'x'.repeat(random.duration(10, 200_000))}"\n`,
  (random) => `${'- a\n'.repeat(random.duration(10, 10_000))}`,
  () => 'null\n',
  () => '',
  () => '[]',
  () => 'http:\n\tport: 1\n',
];

/** Each level refers to the level before it many times. */
function aliasBomb(random: Random): string {
  const levels = random.integer(2, 12);
  const width = random.integer(2, 10);
  const lines = Array.from({ length: levels }, (_, level) => {
    const items = Array.from({ length: width }, () => (level === 0 ? 'x' : `*l${level - 1}`)).join(', ');
    return `l${level}: &l${level} [${items}]`;
  });
  return `${lines.join('\n')}\nexchanges: *l${levels - 1}\n`;
}
