import { connect, type Socket } from 'node:net';
import { NUMBER_DIGITS, nowMicros } from '../events.js';
import type { Cadence } from './cadence.js';
import type { Dialect } from './dialect.js';
import type { Tally } from './tally.js';
import { CLOSE, clientText, PING, PONG_FRAME, TEXT, upgradeRequest } from './wire.js';

/** Larger than any frame of a benchmark. */
const MAX_FRAME_BYTES = 4_096;

/** All sockets read into this one: a client that allocated for each read would cost more than the server. */
const READ_BUFFER = Buffer.allocUnsafeSlow(262_144);

/** How many last digits of an event's number are compared, on each event of each connection. */
const COMPARED = 4;
const MODULUS = 10 ** COMPARED;
const ZEROS = 48 * 1_111;
const DATA_AT = '"data":{"at":"';

export interface LoadConnectionOptions {
  readonly port: number;
  readonly dialect: Dialect;
  /** What is asked for after the path: `?topics=…`. */
  readonly query: string;
  readonly cadence: Cadence;
  readonly tally: Tally;
  readonly thorough: boolean;
}

interface Deferred {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A WebSocket client that costs little: it hops from frame to frame and compares the number of each event. */
export class LoadConnection {
  readonly #dialect: Dialect;
  readonly #tally: Tally;
  readonly #socket: Socket;
  /** Reads each event as a whole: the last connection does, which is also the last that a server writes to. */
  readonly #thorough: boolean;
  readonly #numberAt: number;
  readonly #cadence: Cadence;
  /** Where in its cadence it is. */
  #place = 0;
  readonly #opened: Deferred;
  readonly opened: Promise<void>;
  #upgraded = false;
  #rest: Buffer | undefined;
  /** The number of the event that should come next; undefined for whatever comes. */
  next: number | undefined;

  constructor({ port, dialect, query, cadence, tally, thorough }: LoadConnectionOptions) {
    this.#dialect = dialect;
    this.#cadence = cadence;
    this.#tally = tally;
    this.#thorough = thorough;
    this.#numberAt = dialect.beforeNumber.length;
    let opened: Deferred = { resolve() {}, reject() {} };
    this.opened = new Promise((resolve, reject) => {
      opened = { resolve, reject };
    });
    this.#opened = opened;
    const callback = (bytes: number) => this.#read(READ_BUFFER, bytes);
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: READ_BUFFER, callback } });
    this.#socket.write(upgradeRequest(port, dialect.path + query, dialect.protocol));
    this.#socket.on('error', (error) => this.#opened.reject(error));
    this.#socket.on('close', () => this.#opened.reject(new Error('the connection closed')));
  }

  /** Nothing has come yet; of the events from this number on, the first that it wants is the next. */
  expect(first: number): void {
    const { number, place } = this.#cadence.from(first);
    this.next = number;
    this.#place = place;
  }

  close(): void {
    this.#socket.resetAndDestroy();
  }

  #read(buffer: Buffer, length: number): boolean {
    this.#tally.lastAtMs = performance.now();
    let at = 0;
    if (this.#rest) {
      at = this.#completeRest(this.#rest, buffer, length);
      if (at === length) return true;
    }
    if (!this.#upgraded) at = this.#readUpgrade(buffer, length);
    at = this.#frames(buffer, at, length);
    if (at < length) this.#rest = Buffer.from(buffer.subarray(at, length));
    return true;
  }

  /** Joins the frame that was cut with what came now; says where the next one begins. */
  #completeRest(rest: Buffer, buffer: Buffer, length: number): number {
    const joined = Buffer.concat([rest, buffer.subarray(0, Math.min(length, MAX_FRAME_BYTES))]);
    const end = this.#upgraded ? this.#frames(joined, 0, joined.length) : 0;
    if (end < rest.length) {
      if (length > MAX_FRAME_BYTES) throw new RangeError('a frame larger than a benchmark has');
      this.#rest = joined;
      return length;
    }
    this.#rest = undefined;
    return end - rest.length;
  }

  #readUpgrade(buffer: Buffer, length: number): number {
    const text = buffer.toString('latin1', 0, length);
    const end = text.indexOf('\r\n\r\n');
    if (end === -1 || !text.startsWith('HTTP/1.1 101')) throw new Error(`no upgrade: ${text.slice(0, 200)}`);
    this.#upgraded = true;
    if (this.#dialect.opensAtOnce) this.#opened.resolve();
    return end + 4;
  }

  /** Takes all whole frames; says where the first one begins that is not whole. */
  #frames(data: Buffer, from: number, length: number): number {
    let at = from;
    while (at + 2 <= length) {
      let size = data[at + 1] ?? 0;
      let start = at + 2;
      if (size === 126) {
        if (at + 4 > length) break;
        size = ((data[at + 2] ?? 0) << 8) | (data[at + 3] ?? 0);
        start = at + 4;
      } else if (size === 127) {
        throw new RangeError('a frame larger than a benchmark has');
      }
      if (start + size > length) break;
      this.#frame(data[at] ?? 0, data, start, size);
      at = start + size;
    }
    return at;
  }

  #frame(opcode: number, data: Buffer, start: number, size: number): void {
    if (opcode === TEXT && size > this.#numberAt + NUMBER_DIGITS && this.#isEvent(data, start)) {
      this.#event(data, start, size);
    } else if (opcode === TEXT) {
      const { reply, opened } = this.#dialect.hear(data.toString('latin1', start, start + size));
      if (reply !== undefined) this.#socket.write(clientText(reply));
      if (opened) this.#opened.resolve();
    } else if (opcode === PING) {
      this.#socket.write(PONG_FRAME);
    } else if (opcode === CLOSE) {
      throw new Error(`closed: ${data.toString('utf8', start + 2, start + size)}`);
    }
  }

  /** By two characters: the third tells it from all else but control frames, the other one from those. */
  #isEvent(data: Buffer, start: number): boolean {
    const { tellsAt, beforeNumber } = this.#dialect;
    return data[start + 2] === beforeNumber.charCodeAt(2) && data[start + tellsAt] === beforeNumber.charCodeAt(tellsAt);
  }

  #event(data: Buffer, start: number, size: number): void {
    const tally = this.#tally;
    const end = start + this.#numberAt + NUMBER_DIGITS;
    const digits =
      (data[end - 4] ?? 0) * 1_000 + (data[end - 3] ?? 0) * 100 + (data[end - 2] ?? 0) * 10 + (data[end - 1] ?? 0);
    if (this.next === undefined) this.next = Number(data.toString('latin1', end - NUMBER_DIGITS, end));
    if (digits - ZEROS !== this.next % MODULUS) tally.misordered += 1;
    if (this.#thorough) this.#readThoroughly(data.toString('latin1', start, start + size), this.next);
    if (tally.arrivals) tally.arrived(this.next, nowMicros());
    this.next += this.#cadence.steps[this.#place] ?? 1;
    this.#place = this.#place + 1 === this.#cadence.steps.length ? 0 : this.#place + 1;
    tally.events += 1;
    tally.bytes += size;
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
