import type { Random } from '../../chaos/random.js';
import type { Session } from '../session.js';
import type { Wire } from '../wire.js';
import { frame } from './frame.js';

export interface HandshakeOptions {
  readonly protocol?: string;
  readonly deflate?: boolean;
}

/** The head of a valid WebSocket handshake. */
export function handshakeHead(random: Random, path: string, { protocol, deflate }: HandshakeOptions = {}): string {
  const key = Buffer.from(Array.from({ length: 16 }, () => random.integer(0, 255))).toString('base64');
  const more = [
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ...(deflate ? ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'] : []),
  ].map((line) => `${line}\r\n`);
  return (
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more.join('')}` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
  );
}

/** An open WebSocket, or undefined if the gateway refused it. */
export async function openWebSocket(
  session: Session,
  path: string,
  options?: HandshakeOptions,
): Promise<Wire | undefined> {
  const wire = await session.connect();
  wire.write(handshakeHead(session.random, path, options));
  const answered = await wire.until('\r\n\r\n', 3_000);
  return answered && wire.text.startsWith('HTTP/1.1 101') ? wire : undefined;
}

/** The beginning of a close frame of the gateway: final, opcode 8, a short length, and a code from 1000 to 4999. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: bytes of a frame
const CLOSE_FRAME = /\x88[\x02-\x7d][\x03-\x13]/;

/** Waits until the gateway has processed all earlier bytes: it answers a ping, or closes the connection. */
export async function untilRead(session: Session, wire: Wire): Promise<void> {
  if (!wire.isReading) return;
  const mark = `fuzz${session.random.integer(0, 0x7fffffff)}`;
  wire.write(frame(session.random, mark, { opcode: 9 }));
  await wire.untilSo(() => wire.text.includes(mark) || CLOSE_FRAME.test(wire.text), 2_000);
}
