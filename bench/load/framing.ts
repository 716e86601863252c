import { NUMBER_DIGITS } from '../events.js';
import type { Dialect } from './dialect.js';
import { CLOSE, PING, TEXT } from './wire.js';

/** Who is told of what comes. */
export interface Listener {
  /** An event from `start` to `end`; its number ends before `numberEnd`. */
  event(data: Buffer, numberEnd: number, start: number, end: number): void;
  /** Something that is no event, as text. */
  heard(text: string): void;
  pinged(): void;
}

/** Tells where one event ends and the next begins, at the least cost. One for each connection. */
export interface Framing {
  /** Takes all that is whole; says where what is not whole begins. */
  read(data: Buffer, from: number, length: number, listener: Listener): number;
}

/** Frames of WebSocket (RFC 6455 section 5.2): hops from length to length. */
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
        throw new RangeError('a frame larger than a benchmark has');
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
      throw new Error(`closed: ${data.toString('utf8', start + 2, start + size)}`);
    }
  }

  /** By two characters: the third tells it from all else but control frames, the other one from those. */
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

/** Blocks of an event stream: each is looked for where it would begin if the one before it had the same size, which most have. */
export class EventStreamFraming implements Framing {
  readonly #numberEnd: number;
  /** Of the block before. */
  #size = 0;
  /** Of the line with the position, without its end. */
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
    // Behind the end of one chunk and the size of the next (RFC 9112 section 7.1).
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
