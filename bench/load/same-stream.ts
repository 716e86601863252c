import { createInflateRaw, type InflateRaw } from 'node:zlib';
import { CLOSE, PING, TEXT } from './wire.js';

const TRAILER = Buffer.from([0x00, 0x00, 0xff, 0xff]);
const RSV1 = 0x40;

/**
 * A byte stream that all connections receive identically. It is stored and parsed once, from the connection that is
 * ahead. The other connections are only compared with it, which costs less than parsing, for compressed messages too.
 */
export class SameStream {
  #data = Buffer.allocUnsafeSlow(1 << 20);
  #length = 0;
  /** The offset up to which the stream was parsed. */
  #readTo = 0;
  /** One context for all messages, because servers may refer back to earlier ones. */
  readonly #context: InflateRaw = createInflateRaw();

  get length(): number {
    return this.#length;
  }

  /** Empties the stream; the compression context stays. */
  clear(): void {
    this.#length = 0;
    this.#readTo = 0;
  }

  /** Whether the stream has these bytes at `at`. Bytes beyond its end are appended to it. */
  matches(at: number, bytes: Buffer, size: number): boolean {
    const known = Math.min(size, this.#length - at);
    if (known > 0 && bytes.compare(this.#data, at, at + known, 0, known) !== 0) return false;
    if (known < size) this.#append(bytes, known, size);
    return true;
  }

  /** The messages completed since the last call. */
  async read(): Promise<string[]> {
    const texts: string[] = [];
    for (let frame = this.#nextFrame(); frame; frame = this.#nextFrame()) texts.push(await frame);
    return texts;
  }

  #nextFrame(): Promise<string> | undefined {
    const at = this.#readTo;
    if (this.#length - at < 2) return undefined;
    const short = this.#data[at + 1] ?? 0;
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (this.#length < start) return undefined;
    const size =
      short < 126 ? short : short === 126 ? this.#data.readUInt16BE(at + 2) : this.#data.readUIntBE(at + 4, 6);
    if (this.#length < start + size) return undefined;
    this.#readTo = start + size;
    const first = this.#data[at] ?? 0;
    if (first === PING || first === CLOSE)
      throw new Error('received a ping or close frame, which is not the same on all connections');
    return this.#text(first, Buffer.from(this.#data.subarray(start, start + size)));
  }

  async #text(first: number, payload: Buffer): Promise<string> {
    if (first === TEXT) return payload.toString();
    if (first !== (TEXT | RSV1)) throw new Error(`received an unexpected frame that starts with byte ${first}`);
    const message = Buffer.concat([payload, TRAILER]);
    const context = this.#context;
    const parts: Buffer[] = [];
    const take = (part: Buffer) => parts.push(part);
    context.on('data', take);
    context.write(message);
    await new Promise<void>((resolve) => context.flush(() => resolve()));
    context.off('data', take);
    return Buffer.concat(parts).toString();
  }

  #append(bytes: Buffer, from: number, size: number): void {
    const length = this.#length + size - from;
    if (length > this.#data.length) {
      const larger = Buffer.allocUnsafeSlow(length * 2);
      this.#data.copy(larger, 0, 0, this.#length);
      this.#data = larger;
    }
    bytes.copy(this.#data, this.#length, from, size);
    this.#length = length;
  }
}
