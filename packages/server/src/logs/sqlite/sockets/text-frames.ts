const HEADER_BYTES = 4;

/** A text as UTF-8 with its length before it, so that the texts of a stream of bytes can be told apart. */
export function encodeTextFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  frame.writeUInt32BE(bytes);
  frame.write(text, HEADER_BYTES);
  return frame;
}

/** Finds the texts in a stream of bytes that comes in parts of any size. */
export class TextFrameReader {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** How many bytes there must be before there is anything to do. */
  #wanted = HEADER_BYTES;

  /** @param maxBytes of one text; no more than that is kept of one that is not whole yet */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The texts that are whole with this part.
   *
   * @throws RangeError where one is longer than allowed; nothing can be read after that
   */
  push(part: Buffer): string[] {
    this.#parts.push(part);
    this.#bytes += part.length;
    // Parts are joined when they make a whole text, not one by one: a large text comes in many.
    if (this.#bytes < this.#wanted) return [];
    const bytes = this.#parts.length === 1 ? part : Buffer.concat(this.#parts);
    const texts: string[] = [];
    let at = 0;
    this.#wanted = HEADER_BYTES;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = bytes.readUInt32BE(at);
      if (length > this.#maxBytes)
        throw new RangeError(`a text of ${length} bytes; at most ${this.#maxBytes} are read`);
      const end = at + HEADER_BYTES + length;
      if (end > bytes.length) {
        this.#wanted = end - at;
        break;
      }
      texts.push(bytes.toString('utf8', at + HEADER_BYTES, end));
      at = end;
    }
    const rest = bytes.subarray(at);
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    return texts;
  }
}
