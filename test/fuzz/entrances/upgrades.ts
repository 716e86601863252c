import type { Random } from '../../chaos/random.js';
import type { Entrance, Session } from '../session.js';
import { mutated, randomBytes } from '../values/bytes.js';
import { oddText } from '../values/texts.js';
import { pause } from '../wire.js';
import { anyTarget } from './raw-http.js';

const EXTENSIONS = [
  ...[
    'permessage-deflate',
    'permessage-deflate; server_max_window_bits=8',
    'permessage-deflate; client_max_window_bits=99',
  ],
  ...[
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'x-webkit-deflate-frame',
    ';;;',
    ',,,',
  ],
  ...['permessage-deflate; a="\\', 'permessage-deflate; server_max_window_bits', 'permessage-deflate, '.repeat(200)],
];

/** WebSocket handshakes, mostly invalid ones, whose connection is often reset before the refusal arrives. */
export const upgrades: Entrance = {
  name: 'upgrades',
  weight: 14,
  async run(session) {
    const { random } = session;
    const wire = await session.connect();
    const head = Buffer.from(headOf(session), 'latin1');
    await wire.input(random.chance(0.9) ? head : mutated(random, head));
    // Bytes in the same piece as the handshake are passed on with it.
    if (random.chance(0.2)) await wire.input(randomBytes(random, random.duration(1, 500)));
    const way = random.integer(0, 5);
    if (way === 0) return wire.reset();
    if (way === 1) {
      await pause(0);
      return wire.reset();
    }
    if (way === 2) {
      await pause(random.integer(1, 4));
      return wire.reset();
    }
    await wire.until('\r\n\r\n', 300);
    await wire.end();
  },
};

function headOf(session: Session): string {
  const { random } = session;
  const { events } = session.target.paths;
  const target = random.chance(0.6)
    ? random.pick([
        events,
        `${events}?since=xx`,
        `${events}?topics=..`,
        '/nothing',
        '/socket.io/?EIO=4&transport=websocket',
        '/socket.io/?EIO=4&transport=websocket&sid=nope',
        '/socket.io/?EIO=3&transport=websocket',
        '/socket.io/?EIO=4&transport=nope',
        `/socket.io/?EIO=4&transport=websocket&sid=${oddText(random)}`,
      ])
    : anyTarget(random, session);
  const headers = [
    `Host: ${random.chance(0.9) ? 'localhost' : oddText(random)}`,
    'Connection: Upgrade',
    `Upgrade: ${random.chance(0.9) ? 'websocket' : random.pick(['h2c', 'WebSocket, foo', 'TLS/1.0', ''])}`,
    `Sec-WebSocket-Version: ${random.chance(0.9) ? '13' : random.pick(['8', '14', '', '13, 8', '-1'])}`,
    `Sec-WebSocket-Key: ${random.chance(0.85) ? randomBytes(random, 16).toString('base64') : oddText(random)}`,
    ...optional(
      random,
      0.5,
      () => `Origin: ${random.pick(['http://evil.example', 'null', 'file://', 'http://localhost', oddText(random)])}`,
    ),
    ...optional(
      random,
      0.4,
      () =>
        `Sec-WebSocket-Protocol: ${random.pick(['pregon.v1', 'soap', 'pregon.v1, pregon.v1', ',', oddText(random)])}`,
    ),
    ...optional(random, 0.3, () => `Sec-WebSocket-Extensions: ${random.pick(EXTENSIONS)}`),
    ...optional(random, 0.1, () => 'Content-Length: 10\r\nTransfer-Encoding: chunked'),
  ];
  return `${random.chance(0.95) ? 'GET' : 'POST'} ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`;
}

function optional(random: Random, probability: number, header: () => string): string[] {
  return random.chance(probability) ? [header()] : [];
}
