/** Opcodes of RFC 6455 section 5.2. */
export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Far above what a gateway takes as an event. */
const MAX_FRAME_BYTES = 64 * 2 ** 20;

const FIN = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;

export interface FrameEvents {
  /** @param bytes only valid until the call returns */
  message(bytes: Buffer): void;
  control(opcode: number, bytes: Buffer): void;
}

/** Finds the frames in what a server sends (RFC 6455 section 5), without a copy of those that come whole. */
export class FrameReader {
  readonly #events: FrameEvents;
  #rest: Buffer | undefined;
  #fragments: Buffer[] | undefined;
  #fragmentBytes = 0;

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  /**
   * @param data only read until the call returns
   * @throws RangeError where it is no WebSocket frame, or one that is too large
   */
  read(data: Buffer): void {
    let bytes = data;
    if (this.#rest) {
      bytes = Buffer.concat([this.#rest, data]);
      this.#rest = undefined;
    }
    const end = this.#frames(bytes);
    // Its own copy: the buffer that sockets read into is used again.
    if (end < bytes.length) this.#rest = Buffer.concat([bytes.subarray(end)]);
  }

  /** Takes all whole frames; says where the first one begins that is not whole. */
  #frames(data: Buffer): number {
    let at = 0;
    while (at + 2 <= data.length) {
      const first = data[at] ?? 0;
      let size = data[at + 1] ?? 0;
      let start = at + 2;
      if (first & RESERVED || size & MASKED) throw new RangeError('what came is no WebSocket frame of a server');
      if (size === 126) {
        if (data.length < at + 4) break;
        size = data.readUInt16BE(at + 2);
        start = at + 4;
      } else if (size === 127) {
        if (data.length < at + 10) break;
        size = data.readUInt32BE(at + 2) * 2 ** 32 + data.readUInt32BE(at + 6);
        start = at + 10;
      }
      if (size + this.#fragmentBytes > MAX_FRAME_BYTES) throw new RangeError('a message of more than 64 MiB came');
      if (start + size > data.length) break;
      at = start + size;
      this.#frame(first, data.subarray(start, at));
    }
    return at;
  }

  #frame(first: number, payload: Buffer): void {
    const opcode = first & 0x0f;
    if (opcode >= OPCODES.close) this.#events.control(opcode, payload);
    else if (first & FIN && !this.#fragments) this.#events.message(payload);
    else this.#fragment(first, payload);
  }

  #fragment(first: number, payload: Buffer): void {
    this.#fragments ??= [];
    this.#fragments.push(Buffer.concat([payload]));
    this.#fragmentBytes += payload.length;
    if (!(first & FIN)) return;
    const message = Buffer.concat(this.#fragments);
    this.#fragments = undefined;
    this.#fragmentBytes = 0;
    this.#events.message(message);
  }
}
