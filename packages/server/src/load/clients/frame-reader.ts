/** Opcodes of RFC 6455 section 5.2. */
export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Far larger than any event that a gateway accepts. */
const MAX_FRAME_BYTES = 64 * 2 ** 20;

const FIN = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;

export interface FrameEvents {
  /** @param bytes only valid until the call returns */
  message(bytes: Buffer): void;
  control(opcode: number, bytes: Buffer): void;
}

/** Splits the bytes from a server into frames (RFC 6455 section 5). A frame that arrives whole is not copied. */
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
   * @throws RangeError if the data is not a WebSocket frame, or the frame is too large
   */
  read(data: Buffer): void {
    let bytes = data;
    if (this.#rest) {
      bytes = Buffer.concat([this.#rest, data]);
      this.#rest = undefined;
    }
    const end = this.#frames(bytes);
    // Copy the rest, because the sockets' read buffer is reused.
    if (end < bytes.length) this.#rest = Buffer.concat([bytes.subarray(end)]);
  }

  /** Handles all complete frames. Returns the offset of the first incomplete one. */
  #frames(data: Buffer): number {
    let at = 0;
    while (at + 2 <= data.length) {
      const first = data[at] ?? 0;
      let size = data[at + 1] ?? 0;
      let start = at + 2;
      if (first & RESERVED || size & MASKED)
        throw new RangeError('received bytes that are not a WebSocket frame of a server');
      if (size === 126) {
        if (data.length < at + 4) break;
        size = data.readUInt16BE(at + 2);
        start = at + 4;
      } else if (size === 127) {
        if (data.length < at + 10) break;
        size = data.readUInt32BE(at + 2) * 2 ** 32 + data.readUInt32BE(at + 6);
        start = at + 10;
      }
      if (size + this.#fragmentBytes > MAX_FRAME_BYTES) throw new RangeError('received a message of more than 64 MiB');
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
