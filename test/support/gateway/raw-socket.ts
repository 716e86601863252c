import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterTest } from '../cleanup.js';
import { Inbox, within } from './inbox.js';

export interface RawFrame {
  readonly opcode: number;
  /** RSV1: the payload is compressed. */
  readonly compressed: boolean;
  readonly payload: Buffer;
}

export const OPCODE = { text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

/** A TCP connection that does only what it is told: no pong, no close frame, and no reading unless asked for. */
export class RawSocket {
  readonly socket: Socket;
  /** Resolves when the gateway has ended or reset the connection, or when it ended for another reason. */
  readonly ended: Promise<void>;
  readonly #chunks = new Inbox<Buffer>();
  #received = Buffer.alloc(0);

  static async open(port: number): Promise<RawSocket> {
    const raw = new RawSocket(port);
    await within(new Promise<void>((resolve) => raw.socket.once('connect', resolve)), 'a TCP connection');
    return raw;
  }

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    afterTest(() => this.socket.destroy());
    this.socket.on('data', (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#chunks.push(chunk);
    });
    this.ended = new Promise((resolve) => {
      this.socket.once('end', resolve);
      this.socket.once('close', () => resolve());
      // A reset counts as an end of the connection.
      this.socket.once('error', () => resolve());
    });
  }

  get text(): string {
    return this.#received.toString('latin1');
  }

  write(data: string | Buffer): void {
    this.socket.write(data);
  }

  request(path: string, headers: Record<string, string> = {}, method = 'GET'): void {
    const lines = Object.entries({ Host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  }

  /** Sends an upgrade request, and waits for the head of the answer. */
  upgrade(path: string, headers: Record<string, string> = {}): Promise<string> {
    this.request(path, {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      ...headers,
    });
    return this.head();
  }

  /** Waits for the head of an HTTP answer; the bytes after it stay in `text`. */
  async head(deadlineMs?: number): Promise<string> {
    const end = () => this.#received.indexOf('\r\n\r\n');
    await this.#chunks.until(() => end() >= 0, 'the head of an answer', deadlineMs);
    const head = this.#received.subarray(0, end()).toString();
    this.#received = this.#received.subarray(end() + 4);
    return head;
  }

  /** Waits until the received bytes contain a text. */
  async untilText(text: string, deadlineMs?: number): Promise<void> {
    await this.#chunks.until(() => this.text.includes(text), JSON.stringify(text), deadlineMs);
  }

  /** Waits for the next frame. */
  async frame(deadlineMs?: number): Promise<RawFrame> {
    await this.#chunks.until(() => parseFrame(this.#received) !== undefined, 'a frame', deadlineMs);
    const parsed = parseFrame(this.#received);
    if (!parsed) throw new Error('unreachable');
    this.#received = this.#received.subarray(parsed.size);
    return parsed.frame;
  }

  /** Waits for the close frame, and skips all others. */
  async closeFrame(deadlineMs?: number): Promise<{ code: number; reason: string }> {
    for (;;) {
      const { opcode, payload } = await this.frame(deadlineMs);
      if (opcode === OPCODE.close) return { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
    }
  }

  whenEnded(deadlineMs?: number): Promise<void> {
    return within(this.ended, 'the connection to end', deadlineMs);
  }
}

/** A client frame (RFC 6455 section 5.2); without a mask it is invalid. */
export function clientFrame(
  opcode: number,
  payload: Buffer | string,
  options: { mask?: boolean; compressed?: boolean; last?: boolean } = {},
): Buffer {
  const { mask = true, compressed = false, last = true } = options;
  const bytes = Buffer.from(payload);
  const bit = mask ? 0x80 : 0;
  const key = mask ? randomBytes(4) : Buffer.alloc(0);
  const body = mask ? Buffer.from(bytes.map((byte, i) => byte ^ (key[i % 4] ?? 0))) : bytes;
  return Buffer.concat([
    Buffer.from([(last ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode]),
    lengthField(bytes.length, bit),
    key,
    body,
  ]);
}

function lengthField(length: number, bit: number): Buffer {
  if (length < 126) return Buffer.from([bit | length]);
  const field = Buffer.alloc(length < 65_536 ? 3 : 9);
  field[0] = bit | (length < 65_536 ? 126 : 127);
  if (length < 65_536) field.writeUInt16BE(length, 1);
  else field.writeBigUInt64BE(BigInt(length), 1);
  return field;
}

function parseFrame(bytes: Buffer): { frame: RawFrame; size: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  return {
    frame: {
      opcode: bytes.readUInt8(0) & 0x0f,
      compressed: (bytes.readUInt8(0) & 0x40) !== 0,
      payload: bytes.subarray(start, start + length),
    },
    size: start + length,
  };
}
