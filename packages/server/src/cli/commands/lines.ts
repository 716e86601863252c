import { PregonError } from '@pregon/protocol';
import { decodeUtf8 } from '../../core/json-input.js';

const NEWLINE = 0x0a;

/**
 * Splits a UTF-8 stream into lines without their line ends. Lines that arrive together are yielded as one group. Only
 * `\n` and `\r\n` end a line, because JSON may contain U+2028 (node:readline would split there).
 *
 * @throws PregonError EVENT_INVALID at a line that is not UTF-8, with its number; the lines before it are yielded first
 */
export async function* readLines(input: AsyncIterable<unknown>): AsyncGenerator<string[]> {
  const decoder = new LineDecoder();
  // Parts of an incomplete line. They are joined once, so that the cost of a long line is linear.
  let parts: Uint8Array[] = [];
  for await (const chunk of input) {
    const bytes = chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
    const end = bytes.lastIndexOf(NEWLINE);
    if (end === -1) {
      parts.push(bytes);
      continue;
    }
    yield* decoder.decode(Buffer.concat([...parts, bytes.subarray(0, end)]));
    parts = [bytes.subarray(end + 1)];
  }
  const last = Buffer.concat(parts);
  if (last.length > 0) yield* decoder.decode(last);
}

/** Decodes whole lines and counts them, for line numbers in errors. */
class LineDecoder {
  #decoded = 0;

  /** @param bytes whole lines, without the end of the last one */
  *decode(bytes: Uint8Array): Generator<string[]> {
    const text = decodeUtf8(bytes);
    const lines = text === undefined ? this.#wellFormed(bytes) : text.split('\n');
    this.#decoded += lines.length;
    if (lines.length > 0) yield lines.map(withoutReturn);
    if (text === undefined) throw new PregonError('EVENT_INVALID', `line ${this.#decoded + 1} is not UTF-8`);
  }

  /** The lines before the first one that is not UTF-8. In UTF-8, no byte of a multi-byte character equals a newline. */
  #wellFormed(bytes: Uint8Array): string[] {
    const lines: string[] = [];
    for (let from = 0; from <= bytes.length; ) {
      const end = bytes.indexOf(NEWLINE, from);
      const line = decodeUtf8(bytes.subarray(from, end === -1 ? bytes.length : end));
      if (line === undefined || end === -1) break;
      lines.push(line);
      from = end + 1;
    }
    return lines;
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
