import { connect, type Socket } from 'node:net';
import { NUMBER_DIGITS, nowMicros } from '../events.js';
import type { Cadence } from './cadence.js';
import type { Dialect } from './dialect.js';
import { EventStreamFraming, type Framing, type Listener, WebSocketFraming } from './framing.js';
import type { Tally } from './tally.js';
import { CLOSE_FRAME, clientText, PONG_FRAME, streamRequest, upgradeRequest } from './wire.js';

/** The limit of a frame, larger than any frame of a benchmark. */
const MAX_FRAME_BYTES = 4_096;

/** All sockets read into this buffer. A client with an allocation per read would cost more than the server. */
const READ_BUFFER = Buffer.allocUnsafeSlow(262_144);

/** How many trailing digits of an event's number are compared, for each event of each connection. */
const COMPARED = 4;
const MODULUS = 10 ** COMPARED;
const ZEROS = 48 * 1_111;
const DATA_AT = '"data":{"at":"';

const HEAD_END = '\r\n\r\n';

export interface LoadConnectionOptions {
  readonly port: number;
  readonly dialect: Dialect;
  /** The query of the request: `?topics=…`. */
  readonly query: string;
  readonly cadence: Cadence;
  readonly tally: Tally;
  /** Parses each event completely. Only the last connection does so, which is also the last that a server writes to. */
  readonly thorough: boolean;
  /** Sends all headers of a browser. @default false */
  readonly browser?: boolean;
  /** Sent with the handshake of a WebSocket. @default none */
  readonly token?: string | undefined;
}

interface Deferred {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A cheap client: it jumps from frame to frame and compares the number of each event. */
export class LoadConnection implements Listener {
  readonly #dialect: Dialect;
  readonly #framing: Framing;
  readonly #tally: Tally;
  readonly #socket: Socket;
  readonly #thorough: boolean;
  readonly #cadence: Cadence;
  /** The current index in the cadence. */
  #place = 0;
  readonly #opened: Deferred;
  readonly opened: Promise<void>;
  #accepted = false;
  #isLeaving = false;
  #rest: Buffer | undefined;
  /** The number of the next expected event; undefined to accept any. */
  next: number | undefined;

  constructor({ port, dialect, query, cadence, tally, thorough, browser, token }: LoadConnectionOptions) {
    const streaming = dialect.transport === 'event stream';
    this.#dialect = dialect;
    this.#framing = streaming ? new EventStreamFraming(dialect) : new WebSocketFraming(dialect);
    this.#cadence = cadence;
    this.#tally = tally;
    this.#thorough = thorough;
    let opened: Deferred = { resolve() {}, reject() {} };
    this.opened = new Promise((resolve, reject) => {
      opened = { resolve, reject };
    });
    this.#opened = opened;
    const callback = (bytes: number) => this.#read(READ_BUFFER, bytes);
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: READ_BUFFER, callback } });
    const path = dialect.path + query;
    const { protocol } = dialect;
    this.#socket.write(
      streaming ? streamRequest(port, path) : upgradeRequest(port, path, { protocol, browser, token }),
    );
    this.#socket.on('error', (error) => this.#opened.reject(error));
    this.#socket.on('close', () => this.#opened.reject(new Error('the connection closed')));
  }

  /** Expects the first event of its cadence from this number on. */
  expect(first: number): void {
    const { number, place } = this.#cadence.from(first);
    this.next = number;
    this.#place = place;
  }

  close(): void {
    this.#socket.resetAndDestroy();
  }

  /** Closes as a browser does; resolves when the connection is closed. */
  leave(): Promise<void> {
    this.#isLeaving = true;
    const gone = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    if (this.#dialect.transport === 'websocket') this.#socket.write(CLOSE_FRAME);
    else this.#socket.destroy();
    return gone;
  }

  event(data: Buffer, numberEnd: number, start: number, end: number): void {
    const tally = this.#tally;
    const digits =
      (data[numberEnd - 4] ?? 0) * 1_000 +
      (data[numberEnd - 3] ?? 0) * 100 +
      (data[numberEnd - 2] ?? 0) * 10 +
      (data[numberEnd - 1] ?? 0);
    if (this.next === undefined) this.next = Number(data.toString('latin1', numberEnd - NUMBER_DIGITS, numberEnd));
    if (digits - ZEROS !== this.next % MODULUS) tally.misordered += 1;
    if (this.#thorough) this.#readThoroughly(data.toString('latin1', start, end), this.next);
    if (tally.arrivals) tally.arrived(this.next, nowMicros());
    this.next += this.#cadence.steps[this.#place] ?? 1;
    this.#place = this.#place + 1 === this.#cadence.steps.length ? 0 : this.#place + 1;
    tally.events += 1;
    tally.bytes += end - start;
  }

  heard(text: string): void {
    const { reply, opened } = this.#dialect.hear(text);
    if (reply !== undefined) this.#socket.write(clientText(reply));
    if (opened) this.#opened.resolve();
  }

  pinged(): void {
    this.#socket.write(PONG_FRAME);
  }

  #read(buffer: Buffer, length: number): boolean {
    if (this.#isLeaving) return true;
    this.#tally.lastAtMs = performance.now();
    let at = 0;
    if (this.#rest) {
      at = this.#completeRest(this.#rest, buffer, length);
      if (at === length) return true;
    }
    if (!this.#accepted) at = this.#readHead(buffer, length);
    at = this.#framing.read(buffer, at, length, this);
    if (at < length) this.#rest = Buffer.from(buffer.subarray(at, length));
    return true;
  }

  /** Joins an incomplete frame with the new bytes. Returns the offset of the next frame. */
  #completeRest(rest: Buffer, buffer: Buffer, length: number): number {
    const joined = Buffer.concat([rest, buffer.subarray(0, Math.min(length, MAX_FRAME_BYTES))]);
    const end = this.#framing.read(joined, 0, joined.length, this);
    if (end < rest.length) {
      if (length > MAX_FRAME_BYTES) throw new RangeError('a frame is larger than any frame of a benchmark');
      this.#rest = joined;
      return length;
    }
    this.#rest = undefined;
    return end - rest.length;
  }

  /** The response headers arrive in one piece, because they are small and the first bytes that a server sends. */
  #readHead(buffer: Buffer, length: number): number {
    const text = buffer.toString('latin1', 0, length);
    const end = text.indexOf(HEAD_END);
    const wanted = this.#dialect.transport === 'websocket' ? 'HTTP/1.1 101' : 'HTTP/1.1 200';
    if (end === -1 || !text.startsWith(wanted)) throw new Error(`not accepted: ${text.slice(0, 200)}`);
    this.#accepted = true;
    if (this.#dialect.opensAtOnce) this.#opened.resolve();
    return end + HEAD_END.length;
  }

  #readThoroughly(text: string, next: number): void {
    const event: unknown = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1));
    const id = typeof event === 'object' && event !== null && 'id' in event ? Number(event.id) : Number.NaN;
    if (id !== next) this.#tally.misordered += 1;
    if (!this.#tally.latencies) return;
    const at = text.indexOf(DATA_AT) + DATA_AT.length;
    this.#tally.latencies.push(nowMicros() - Number(text.slice(at, at + 15)));
  }
}
