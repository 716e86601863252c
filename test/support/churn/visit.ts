import { connect } from 'node:net';
import { clientFrame, OPCODE } from '../gateway/raw-socket.js';

const PATIENCE_MS = 20_000;

/** How a visit ends: with a close frame, by breaking off, or by a timeout of the gateway. */
type End = 'leaves' | 'breaks off' | 'is sent away';

/** Bytes to send, or a text to wait for in what is received. */
type Step = { readonly say: string | Buffer } | { readonly hear: string };

export interface Visit {
  readonly steps: readonly Step[];
  readonly end: End;
}

const text = (payload: string) => clientFrame(OPCODE.text, payload);
const GOODBYE = clientFrame(OPCODE.close, Buffer.from([0x03, 0xe8]));

function get(path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ Host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

const PLAIN: readonly Step[] = [{ say: get('/events', UPGRADE) }, { hear: ' 101 ' }, { say: text('hello') }];

const FRAMES: readonly Step[] = [
  { say: get('/events', { ...UPGRADE, 'Sec-WebSocket-Protocol': 'pregon.v1' }) },
  { hear: '"welcome"' },
  { say: text('{"op":"subscribe","id":1,"topics":["user.#"]}') },
  { hear: '"subscribed"' },
];

const STREAM: readonly Step[] = [
  { say: get('/events', { Accept: 'text/event-stream' }) },
  { hear: 'event: subscribed' },
];

const SOCKET_IO: readonly Step[] = [
  { say: get('/socket.io/?EIO=4&transport=websocket', UPGRADE) },
  { hear: '0{"sid"' },
  { say: text('40/events,') },
  { hear: '["subscribed"' },
];

const POLL: readonly Step[] = [
  { say: get('/socket.io/?EIO=4&transport=polling', { Connection: 'close' }) },
  { hear: '0{"sid"' },
];

const HALF_A_HANDSHAKE: readonly Step[] = [{ say: 'GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webs' }];

/** The kinds of visits, with their share in percent. */
export const VISITS: readonly (Visit & { readonly who: string; readonly share: number })[] = [
  { who: 'plain WebSocket', steps: [...PLAIN, { say: GOODBYE }], end: 'leaves', share: 12 },
  { who: 'plain WebSocket', steps: PLAIN, end: 'breaks off', share: 12 },
  { who: 'pregon.v1', steps: [...FRAMES, { say: GOODBYE }], end: 'leaves', share: 10 },
  { who: 'pregon.v1', steps: FRAMES, end: 'breaks off', share: 10 },
  { who: 'event stream', steps: STREAM, end: 'breaks off', share: 14 },
  { who: 'Socket.IO', steps: [...SOCKET_IO, { say: text('41/events,') }, { say: GOODBYE }], end: 'leaves', share: 14 },
  { who: 'Socket.IO', steps: SOCKET_IO, end: 'breaks off', share: 2 },
  { who: 'Socket.IO that never polls', steps: POLL, end: 'breaks off', share: 16 },
  { who: 'half a handshake', steps: HALF_A_HANDSHAKE, end: 'breaks off', share: 4 },
  { who: 'half a handshake', steps: HALF_A_HANDSHAKE, end: 'is sent away', share: 3 },
  { who: 'silence', steps: [], end: 'is sent away', share: 3 },
];

/**
 * Connects, performs the steps of a visit, and ends it; resolves when the socket is closed.
 * @throws Error if the gateway does not do its part
 */
export function visit(port: number, { steps, end }: Visit): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  let heard = '';
  let next = 0;
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => fail(`no answer in time after ${JSON.stringify(heard.slice(-300))}`), PATIENCE_MS);
    const fail = (why: string) => {
      reject(new Error(`step ${next} of a visit that ${end}: ${why}`));
      socket.destroy();
    };
    const proceed = () => {
      for (let step = steps[next]; step; step = steps[++next]) {
        if ('say' in step) socket.write(step.say);
        else if (!heard.includes(step.hear)) return;
      }
      if (end === 'breaks off') socket.resetAndDestroy();
      else if (end === 'leaves') socket.end();
    };
    socket.setEncoding('latin1');
    socket.once('connect', proceed);
    socket.on('data', (data: string) => {
      heard += data;
      proceed();
    });
    socket.on('error', () => {
      // It closes, which is what is looked at.
    });
    socket.once('close', () => {
      clearTimeout(late);
      if (next < steps.length) fail(`closed after ${JSON.stringify(heard.slice(-300))}`);
      else resolve();
    });
  });
}
