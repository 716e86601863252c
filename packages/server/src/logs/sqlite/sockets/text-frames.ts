const HEADER_BYTES = 4;

/** Encodes a text as UTF-8, preceded by its length, so that a reader can separate the texts in a stream. */
export function encodeTextFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  frame.writeUInt32BE(bytes);
  frame.write(text, HEADER_BYTES);
  return frame;
}

/** Reads the texts from a stream that arrives in parts of any size. */
export class TextFrameReader {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** The number of bytes needed before there is anything to do. */
  #wanted = HEADER_BYTES;

  /** @param maxBytes the maximum size of one text, and so of the buffer for an incomplete one */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Returns the texts that this part completes.
   *
   * @throws RangeError if a text is longer than allowed; the stream cannot be read after that
   */
  push(part: Buffer): string[] {
    this.#parts.push(part);
    this.#bytes += part.length;
    // Parts are joined only when they complete a text: a large text arrives in many parts, and joining each would be
    // costly.
    if (this.#bytes < this.#wanted) return [];
    const bytes = this.#parts.length === 1 ? part : Buffer.concat(this.#parts);
    const texts: string[] = [];
    let at = 0;
    this.#wanted = HEADER_BYTES;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = bytes.readUInt32BE(at);
      if (length > this.#maxBytes) throw new RangeError(`a text has ${length} bytes; the limit is ${this.#maxBytes}`);
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
