import type { Random } from '../../chaos/random.js';
import type { Entrance, Session } from '../session.js';
import { mutated, randomBytes } from '../values/bytes.js';
import { encoded, oddText } from '../values/texts.js';
import { pause } from '../wire.js';

const METHODS = [
  'GET',
  'GET',
  'GET',
  'POST',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'CONNECT',
  'TRACE',
  'PRI',
  'get',
  'G\0T',
  '',
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.1 ', ''];

const HEADERS: readonly ((random: Random) => string)[] = [
  () => 'Connection: keep-alive',
  () => 'Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
  () => 'Connection: Upgrade\r\nUpgrade: websocket',
  () => 'Accept: text/event-stream',
  (random) =>
    `Origin: ${random.pick(['http://localhost:1', 'null', 'http://evil.example', 'file://', '', 'x'.repeat(3_000)])}`,
  (random) => `Content-Length: ${random.pick(['0', '5', '-1', '1e3', '99999999999999999999', '5, 5', ' 3'])}`,
  () => 'Transfer-Encoding: chunked',
  () => 'Transfer-Encoding: gzip, chunked',
  () => 'Expect: 100-continue',
  (random) => `Cookie: ${'a=b; '.repeat(random.integer(1, 300))}`,
  (random) => `X-Odd: ${oddText(random)}`,
  (random) => `${oddText(random)}: x`,
  () => `X-Long: ${'y'.repeat(20_000)}`,
  () => Array.from({ length: 200 }, (_, i) => `X-${i}: ${i}`).join('\r\n'),
  () => 'Host: a\r\nHost: b',
  () => ' folded: header',
  () => 'Sec-WebSocket-Key: AAAA\r\nSec-WebSocket-Version: 13',
  () => 'Last-Event-ID: \xff\xfe',
  () => 'Trailer: X-Odd',
];

/** A request target: paths of the gateway, with and without what the transports expect, and other paths. */
export function anyTarget(random: Random, { target }: Session): string {
  const { events, zip, chat, rows, component = '/none', application = '/none' } = target.paths;
  const path = random.pick([
    ...[events, zip, chat, rows, component, application, '/socket.io/', '/socket.io/socket.io.js'],
    ...['/', '/none', '//', '*', `http://localhost${events}`, `${events}/`, '/%00', '/socket.io', 'localhost:1'],
  ]);
  if (random.chance(0.5)) return path;
  const name = random.pick([
    'since',
    'topics',
    'EIO',
    'transport',
    'sid',
    'snapshot',
    't',
    'token',
    'ticket',
    '__proto__',
  ]);
  const value = random.chance(0.5) ? encoded(oddText(random)) : oddText(random);
  return `${path}?${name}=${value}${random.chance(0.2) ? '&'.repeat(random.integer(1, 500)) : ''}`;
}

export function requestText(random: Random, target: string, method = random.pick(METHODS)): string {
  const headers = Array.from({ length: random.integer(0, 4) }, () => random.pick(HEADERS)(random));
  const host = random.chance(0.95) ? ['Host: localhost'] : [];
  const body = random.chance(0.2)
    ? random.pick(['hello', '5\r\nhello\r\n0\r\n\r\n', 'fffffffff\r\n', 'x'.repeat(3_000)])
    : '';
  return `${[`${method} ${target} ${random.pick(VERSIONS)}`, ...host, ...headers].join('\r\n')}\r\n\r\n${body}`;
}

/** Invalid requests, nearly valid ones, and several in one piece. */
export const rawHttp: Entrance = {
  name: 'raw HTTP',
  weight: 14,
  async run(session) {
    const { random } = session;
    const wire = await session.connect();
    for (let left = random.integer(1, 4); left > 0 && !wire.isClosed; left--) await wire.input(inputOf(session));
    // Half of the sessions wait for the answer.
    if (random.chance(0.5)) await wire.until('HTTP/1.1', 150);
    else if (random.chance(0.3)) await pause(random.integer(0, 3));
    await wire.end();
  },
};

function inputOf(session: Session): Buffer {
  const { random } = session;
  const request = () => requestText(random, anyTarget(random, session));
  switch (random.integer(0, 9)) {
    case 0:
      return randomBytes(random, random.duration(1, 2_000));
    case 1:
      return Buffer.from(request().repeat(random.pick([2, 3, 50])), 'latin1');
    case 2:
      // A head that never ends.
      return Buffer.from(request().slice(0, -random.integer(2, 40)), 'latin1');
    case 3:
      return Buffer.from(`GET /${'a'.repeat(random.pick([100, 8_000, 16_000, 70_000]))} HTTP/1.1\r\nHost: a\r\n\r\n`);
    case 4:
      // A TLS ClientHello, and the first bytes of other protocols.
      return Buffer.from(
        random.pick(['\x16\x03\x01\x02\x00\x01', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'SSH-2.0-x\r\n', 'PROXY TCP4']),
      );
    case 5:
    case 6:
      return mutated(random, Buffer.from(request(), 'latin1'));
    default:
      return Buffer.from(request(), 'latin1');
  }
}
