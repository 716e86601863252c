import { NUMBER_DIGITS } from '../events.js';
import type { Dialect } from './dialect.js';
import { CLOSE, PING, TEXT } from './wire.js';

/** Receives the parts of a stream. */
export interface Listener {
  /** An event from `start` to `end`; its number ends before `numberEnd`. */
  event(data: Buffer, numberEnd: number, start: number, end: number): void;
  /** A message that is not an event, as text. */
  heard(text: string): void;
  pinged(): void;
}

/** Splits a stream into events at minimal cost. Each connection has its own. */
export interface Framing {
  /** Handles all complete parts. Returns the offset of the first incomplete one. */
  read(data: Buffer, from: number, length: number, listener: Listener): number;
}

/** WebSocket frames (RFC 6455 section 5.2): jumps from length to length. */
export class WebSocketFraming implements Framing {
  readonly #dialect: Dialect;
  readonly #numberEnd: number;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#numberEnd = dialect.beforeNumber.length + NUMBER_DIGITS;
  }

  read(data: Buffer, from: number, length: number, listener: Listener): number {
    let at = from;
    while (at + 2 <= length) {
      let size = data[at + 1] ?? 0;
      let start = at + 2;
      if (size === 126) {
        if (at + 4 > length) break;
        size = ((data[at + 2] ?? 0) << 8) | (data[at + 3] ?? 0);
        start = at + 4;
      } else if (size === 127) {
        throw new RangeError('a frame is larger than any frame of a benchmark');
      }
      if (start + size > length) break;
      this.#frame(data[at] ?? 0, data, start, size, listener);
      at = start + size;
    }
    return at;
  }

  #frame(opcode: number, data: Buffer, start: number, size: number, listener: Listener): void {
    if (opcode === TEXT && size > this.#numberEnd && this.#isEvent(data, start)) {
      listener.event(data, start + this.#numberEnd, start, start + size);
    } else if (opcode === TEXT) {
      listener.heard(data.toString('latin1', start, start + size));
    } else if (opcode === PING) {
      listener.pinged();
    } else if (opcode === CLOSE) {
      throw new Error(`the server closed the connection: ${data.toString('utf8', start + 2, start + size)}`);
    }
  }

  /** Checks two characters: the third excludes all but control frames, and the other excludes those. */
  #isEvent(data: Buffer, start: number): boolean {
    const { tellsAt, beforeNumber } = this.#dialect;
    return data[start + 2] === beforeNumber.charCodeAt(2) && data[start + tellsAt] === beforeNumber.charCodeAt(tellsAt);
  }
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const BLOCK_END = '\n\n';
const ID = 'id: ';
const DATA = 'data: {"sp';

/**
 * Blocks of an event stream. The end is first looked for where it would be if the block had the size of the last one,
 * as most have.
 */
export class EventStreamFraming implements Framing {
  readonly #numberEnd: number;
  /** The size of the last block. */
  #size = 0;
  /** The length of the line with the position, without its line end. */
  #idLength = 0;

  constructor(dialect: Dialect) {
    this.#numberEnd = dialect.beforeNumber.length + NUMBER_DIGITS;
  }

  read(data: Buffer, from: number, length: number, listener: Listener): number {
    let at = from;
    while (at < length) {
      const end = this.#blockEnd(data, at, length);
      if (end === undefined) break;
      this.#size = end - at;
      this.#block(data, at, end, listener);
      at = end;
    }
    return at;
  }

  #blockEnd(data: Buffer, at: number, length: number): number | undefined {
    const guess = at + this.#size;
    const fits = guess > at && guess <= length && data[guess - 1] === LINE_FEED && data[guess - 2] === LINE_FEED;
    if (fits) return guess;
    const found = data.indexOf(BLOCK_END, at, 'latin1');
    return found === -1 || found + BLOCK_END.length > length ? undefined : found + BLOCK_END.length;
  }

  #block(data: Buffer, from: number, end: number, listener: Listener): void {
    // Skip the end of one chunk and the size of the next (RFC 9112 section 7.1).
    const start = data[from] === CARRIAGE_RETURN ? data.indexOf(LINE_FEED, from + 2) + 1 : from;
    if (data[start + this.#idLength] !== LINE_FEED) this.#idLength = data.indexOf(LINE_FEED, start) - start;
    const line = start + this.#idLength + 1;
    if (isText(data, start, ID) && isText(data, line, DATA)) listener.event(data, line + this.#numberEnd, start, end);
    else listener.heard(data.toString('latin1', start, end));
  }
}

function isText(data: Buffer, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) if (data[at + index] !== text.charCodeAt(index)) return false;
  return true;
}
