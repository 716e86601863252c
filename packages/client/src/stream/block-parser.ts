/** A block of an event stream that is complete. */
export interface Block {
  /** `message` if the block names none. */
  readonly type: string;
  /** Undefined for a block without data, such as a checkpoint. */
  readonly data: string | undefined;
  /** The last id of the stream, of this block or an earlier one. */
  readonly lastEventId: string;
  /** The delay before the next attempt that the server asks for, in milliseconds. */
  readonly retryMs: number | undefined;
}

/**
 * Parses an event stream (HTML, section 9.2.6), whatever the pieces in which it arrives.
 *
 * @example
 * const parser = new BlockParser('');
 * parser.push('id: 7\ndata: a'); // []
 * parser.push('b\n\n'); // [{ type: 'message', data: 'ab', lastEventId: '7', retryMs: undefined }]
 */
export class BlockParser {
  /** The pieces of the line that is not complete: they are joined once, however many there are. */
  #pieces: string[] = [];
  #isFirst = true;
  #endedWithReturn = false;
  #data: string[] = [];
  #type = '';
  #id: string;
  #retryMs: number | undefined;
  #hasId = false;

  /** @param lastEventId the last id of an earlier stream */
  constructor(lastEventId: string) {
    this.#id = lastEventId;
  }

  push(text: string): Block[] {
    const blocks: Block[] = [];
    for (const line of this.#lines(text)) {
      const block = this.#line(line);
      if (block) blocks.push(block);
    }
    return blocks;
  }

  /** The lines that are complete; a line ends with CR, LF or both. */
  *#lines(given: string): Generator<string> {
    let text = given;
    if (text === '') return;
    if (this.#isFirst && text.startsWith('\ufeff')) text = text.slice(1);
    this.#isFirst = false;
    if (this.#endedWithReturn && text.startsWith('\n')) text = text.slice(1);
    this.#endedWithReturn = text.endsWith('\r');
    const lines = text.split(/\r\n|\r|\n/);
    const last = lines.pop() ?? '';
    for (const line of lines) {
      const complete = this.#pieces.length === 0 ? line : this.#pieces.join('') + line;
      this.#pieces = [];
      yield complete;
    }
    if (last !== '') this.#pieces.push(last);
  }

  #line(line: string): Block | undefined {
    if (line === '') return this.#complete();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#type = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.#retryMs = Number(value);
    else if (name === 'id' && !value.includes('\0')) {
      this.#id = value;
      this.#hasId = true;
    }
    return undefined;
  }

  #complete(): Block | undefined {
    const data = this.#data.length === 0 ? undefined : this.#data.join('\n');
    const block = { type: this.#type || 'message', data, lastEventId: this.#id, retryMs: this.#retryMs };
    const hasContent = data !== undefined || this.#hasId || this.#retryMs !== undefined;
    this.#data = [];
    this.#type = '';
    this.#retryMs = undefined;
    this.#hasId = false;
    return hasContent ? block : undefined;
  }
}
