import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type Failure, failureOf, failureOfClose, failureOfStatus } from '../failure.js';
import { FrameReader, OPCODES } from './frame-reader.js';
import type { LoadSocket, SocketEvents, SocketRequest } from './load-socket.js';

/** All sockets read into this buffer. A new buffer for each read would cost more than all other work on an event. */
const READ_BUFFER = Buffer.allocUnsafeSlow(262_144);

const MAX_HEAD_BYTES = 16_384;

/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const FIN = 0x80;
const MASKED = 0x80;

/**
 * An all-zero mask leaves the bytes unchanged. Unpredictable masks (RFC 6455 section 5.3) protect against hostile pages
 * only.
 */
const MASK = Buffer.alloc(4);

const NORMAL = Buffer.from([0x03, 0xe8]);

/** A WebSocket client without TLS and compression, with minimal cost, because a load tool has thousands. */
export class LeanSocket implements LoadSocket {
  readonly #request: SocketRequest;
  readonly #events: SocketEvents;
  readonly #socket: Socket;
  readonly #key = randomBytes(16).toString('base64');
  readonly #frames: FrameReader;
  #handshake: NodeJS.Timeout | undefined;
  #head: Buffer | undefined = Buffer.alloc(0);
  #failure: Failure | undefined;

  constructor(request: SocketRequest, events: SocketEvents) {
    const { url } = request;
    this.#request = request;
    this.#events = events;
    this.#frames = new FrameReader({
      message: (bytes) => this.#events.frame(bytes),
      control: (opcode, bytes) => this.#control(opcode, bytes),
    });
    this.#socket = connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 80),
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: (size, buffer) => this.#read(buffer, size) },
    });
    this.#socket.on('error', (error) => this.#fail(failureOf(error)));
    this.#socket.on('close', () => {
      clearTimeout(this.#handshake);
      events.ended(this.#failure ?? failureOfClose(1006, ''));
    });
    this.#socket.write(this.#upgradeRequest());
    this.#handshake = setTimeout(
      () => this.#fail(failureOf(new Error('Opening handshake has timed out'))),
      request.handshakeTimeoutMs,
    );
  }

  send(text: string): void {
    this.#write(OPCODES.text, Buffer.from(text));
  }

  close(): void {
    this.#write(OPCODES.close, NORMAL);
  }

  terminate(): void {
    this.#socket.destroy();
  }

  #fail(failure: Failure): void {
    this.#failure ??= failure;
    this.#socket.destroy();
  }

  #read(buffer: Uint8Array, size: number): boolean {
    try {
      const data = Buffer.from(buffer.buffer, buffer.byteOffset, size);
      const frames = this.#head ? this.#readHead(this.#head, data) : data;
      if (frames && frames.length > 0) this.#frames.read(frames);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#fail({ reason: error.message, retry: false });
    }
    return !this.#socket.destroyed;
  }

  /** @returns the bytes after the response headers; undefined if these are incomplete, or the response is a refusal */
  #readHead(before: Buffer, data: Buffer): Buffer | undefined {
    const head = Buffer.concat([before, data]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) {
      if (head.length > MAX_HEAD_BYTES) throw new RangeError('the server does not answer with HTTP');
      this.#head = head;
      return undefined;
    }
    this.#head = undefined;
    clearTimeout(this.#handshake);
    const failure = this.#refusal(head.toString('latin1', 0, end));
    if (failure) {
      this.#fail(failure);
      return undefined;
    }
    this.#events.opened();
    return head.subarray(end + 4);
  }

  /** Why the upgrade failed; undefined if it succeeded (RFC 6455 section 4.1). */
  #refusal(head: string): Failure | undefined {
    const [statusLine = '', ...lines] = head.split('\r\n');
    const [, status = '', text = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
    const headers = new Map(lines.map(readHeader));
    if (status === '') return { reason: 'the server does not answer with HTTP', retry: false };
    if (status !== '101') return failureOfStatus(Number(status), text, headers.get('retry-after'));
    const accept = createHash('sha1')
      .update(this.#key + GUID)
      .digest('base64');
    if (headers.get('sec-websocket-accept') !== accept)
      return { reason: 'the server does not answer with a WebSocket handshake', retry: false };
    if (headers.get('sec-websocket-protocol') !== this.#request.subprotocol) {
      return failureOf(new Error('Server sent another subprotocol'));
    }
    return undefined;
  }

  #control(opcode: number, bytes: Buffer): void {
    if (opcode === OPCODES.ping) this.#write(OPCODES.pong, bytes);
    if (opcode !== OPCODES.close) return;
    const code = bytes.length >= 2 ? bytes.readUInt16BE(0) : 1005;
    this.#failure ??= failureOfClose(code, bytes.toString('utf8', 2));
    this.#write(OPCODES.close, bytes.subarray(0, 2));
    this.#socket.end();
  }

  #write(opcode: number, payload: Buffer): void {
    if (this.#socket.writable) this.#socket.write(Buffer.concat([headOf(opcode, payload.length), MASK, payload]));
  }

  #upgradeRequest(): string {
    const { url, subprotocol, origin, headers = {} } = this.#request;
    const lines = [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${this.#key}`,
      ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
      ...(origin === undefined ? [] : [`Origin: ${origin}`]),
      ...(url.username === '' ? [] : [`Authorization: Basic ${basic(url)}`]),
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    return `${lines.join('\r\n')}\r\n\r\n`;
  }
}

/** RFC 7617. */
function basic({ username, password }: URL): string {
  return Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
}

function headOf(opcode: number, size: number): Buffer {
  if (size < 126) return Buffer.from([FIN | opcode, MASKED | size]);
  if (size < 65_536) return Buffer.from([FIN | opcode, MASKED | 126, size >> 8, size & 0xff]);
  const head = Buffer.from([FIN | opcode, MASKED | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(size, 6);
  return head;
}

function readHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}
