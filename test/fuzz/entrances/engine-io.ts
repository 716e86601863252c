import type { Random } from '../../chaos/random.js';
import type { Entrance, Session } from '../session.js';
import { anyFrame, frame } from '../values/frame.js';
import { openWebSocket, untilRead } from '../values/handshake.js';
import { dataText, jsonText, nearly } from '../values/json.js';
import { encoded, oddText, patterns, position } from '../values/texts.js';
import type { Wire } from '../wire.js';

const POLLING = '/socket.io/?EIO=4&transport=polling';
const WEBSOCKET = '/socket.io/?EIO=4&transport=websocket';
const SEPARATOR = '\x1e';

/**
 * Engine.IO and Socket.IO by long polling: payloads with many packets, malformed ones, two polls at once, unknown
 * sessions.
 */
export const enginePolling: Entrance = {
  name: 'Engine.IO polling',
  weight: 10,
  async run(session) {
    const { random } = session;
    const wire = await session.connect();
    wire.write(get(POLLING));
    if (!(await wire.until('"sid":"', 2_000))) return;
    const sid = /"sid":"([^"]*)"/.exec(wire.text)?.[1] ?? '';
    const path = `${POLLING}&sid=${random.chance(0.95) ? sid : encoded(oddText(random))}`;
    for (let left = random.integer(1, 8); left > 0 && !wire.isClosed; left--) {
      wire.forget();
      await wire.input(pollingRequest(session, path));
      await wire.until('HTTP/1.1', random.pick([5, 50, 300]));
    }
    if (random.chance(0.2)) await upgradeSession(session, sid);
    await wire.end();
  },
};

/** Engine.IO and Socket.IO by WebSocket, where each frame is a packet. */
export const engineWebSocket: Entrance = {
  name: 'Engine.IO WebSocket',
  weight: 10,
  async run(session) {
    const { random } = session;
    const wire = await openWebSocket(session, WEBSOCKET);
    if (!wire) return;
    if (random.chance(0.9)) wire.write(frame(random, connectPacket(session)));
    await sendPackets(session, wire);
    await wire.end();
  },
};

async function sendPackets(session: Session, wire: Wire): Promise<void> {
  const { random } = session;
  for (let left = random.integer(1, 20); left > 0 && !wire.isClosed; left--) {
    const payload = nearly(random, packet(session));
    await wire.input(
      random.chance(0.9) ? frame(random, payload, { opcode: random.chance(0.95) ? 1 : 2 }) : anyFrame(random, payload),
    );
  }
  if (random.chance(0.6)) await untilRead(session, wire);
}

/** A polling session upgrades to WebSocket, as stock clients do, or only begins to. */
async function upgradeSession(session: Session, sid: string): Promise<void> {
  const { random } = session;
  const wire = await openWebSocket(session, `${WEBSOCKET}&sid=${encodeURIComponent(sid)}`);
  if (!wire) return;
  await wire.input(frame(random, random.pick(['2probe', '5', '2', '3probe', oddText(random)])));
  if (random.chance(0.7)) await wire.input(frame(random, '5'));
  await sendPackets(session, wire);
  await wire.end();
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

function pollingRequest(session: Session, path: string): Buffer {
  const { random } = session;
  if (random.chance(0.2)) return Buffer.from(get(path));
  if (random.chance(0.05)) return Buffer.from(get(path).repeat(random.integer(2, 20)));
  const body = nearly(random, payload(session));
  const type = random.chance(0.95)
    ? 'text/plain;charset=UTF-8'
    : random.pick(['application/octet-stream', 'application/json', '']);
  const claimed = random.chance(0.97) ? body.length : random.pick([0, body.length + 10, 10_000_000]);
  const how = random.chance(0.95) ? `Content-Length: ${claimed}` : 'Transfer-Encoding: chunked';
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n${how}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** Usually a few packets, but sometimes as many as fit into one megabyte. */
function payload(session: Session): string {
  const { random } = session;
  if (random.chance(0.01)) {
    const one = random.pick([
      '3',
      '40/x,',
      '42/events,["x"]',
      '42/events,1["subscribe",["a.b"]]',
      '43/events,1["x"]',
      '451-/events,["x"]',
    ]);
    return Array.from({ length: Math.floor(990_000 / (one.length + 1)) }, () => one).join(SEPARATOR);
  }
  return Array.from({ length: random.duration(1, 40) }, () => packet(session)).join(
    random.chance(0.98) ? SEPARATOR : '',
  );
}

function connectPacket(session: Session): string {
  const { random, target } = session;
  const namespace = random.chance(0.8)
    ? `${random.pick(['/events', '/rows', '/chat'])},`
    : random.pick(['', '/none,', `${oddText(random)},`]);
  const auth = {
    topics: patterns(random),
    ...(random.chance(0.4) ? { since: position(random, target.positions) } : {}),
    ...(random.chance(0.2) ? { offset: position(random, target.positions), pid: oddText(random) } : {}),
    ...(random.chance(0.2) ? { snapshot: true } : {}),
  };
  return `40${namespace}${random.chance(0.9) ? JSON.stringify(auth) : jsonText(random)}`;
}

/** An Engine.IO packet, which mostly contains a Socket.IO packet. */
function packet(session: Session): string {
  const { random } = session;
  const namespace = random.pick(['/events,', '/rows,', '/chat,', '', '/none,']);
  switch (random.integer(0, 11)) {
    case 0:
      return connectPacket(session);
    case 1:
      return `42${namespace}${ack(random)}["subscribe",${JSON.stringify(patterns(random))}]`;
    case 2:
      return `42${namespace}${ack(random)}["unsubscribe",${jsonText(random)}]`;
    case 3:
      return `42${namespace}${ack(random)}["${random.pick(['bid', 'slow', 'message', 'none', 'disconnect', 'error', 'connect'])}",${dataText(random)}]`;
    case 4:
      return `43${namespace}${random.integer(0, 3)}[${jsonText(random)}]`;
    case 5:
      return `41${namespace}`;
    case 6:
      // Binary attachments that never come, or that are too many.
      return `4${random.pick(['51', '51', '61', '52', '510', '50'])}-${namespace}["x",{"_placeholder":true,"num":${random.pick(['0', '1', '-1', '99999', '"a"'])}}]`;
    case 7:
      return `b${random.pick(['AAAA', 'not base64!', '', 'A'.repeat(5_000)])}`;
    case 8:
      return random.pick([
        '2',
        '3',
        '1',
        '5',
        '6',
        '2probe',
        '0{}',
        '7',
        '9',
        '',
        '4',
        '40',
        '44',
        `44${namespace}{"message":"x"}`,
        '49',
      ]);
    case 9:
      return `4${random.integer(0, 9)}${oddText(random)}`;
    case 10:
      return `42${namespace}${jsonText(random)}`;
    default:
      return oddText(random);
  }
}

function ack(random: Random): string {
  return random.chance(0.5) ? '' : String(random.pick([0, 1, 2, 2 ** 53, 1e21]));
}
