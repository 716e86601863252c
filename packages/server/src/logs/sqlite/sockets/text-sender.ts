import type { Socket } from 'node:net';
import { MAX_EPHEMERAL_BYTES } from '../../../core/ports/ephemeral.js';
import { encodeTextFrame } from './text-frames.js';

/** How much is gathered in one turn of the event loop before it is written at once. */
const CHUNK_BYTES = 65_536;

export interface TextSenderOptions {
  /** Those to write to, looked up for each chunk. */
  readonly connections: () => readonly Socket[];
  /** One does not read: what does not fit is dropped. Called once until it has taken all that waits. */
  readonly onFull: () => void;
}

/** Writes texts to many connections: encoded once, one write a turn, and nothing for one that does not read. */
export class TextSender {
  readonly #options: TextSenderOptions;
  /** Those that were told of by `onFull`. */
  readonly #full = new WeakSet<Socket>();
  #frames: Buffer[] = [];
  #bytes = 0;
  #scheduled: NodeJS.Immediate | undefined;
  #dropped = 0;

  constructor(options: TextSenderOptions) {
    this.#options = options;
  }

  /** How many texts were dropped, counted once for each connection; one that is too large counts once. */
  get dropped(): number {
    return this.#dropped;
  }

  send(text: string): void {
    if (Buffer.byteLength(text) > MAX_EPHEMERAL_BYTES) {
      this.#dropped += 1;
      return;
    }
    const frame = encodeTextFrame(text);
    if (this.#bytes + frame.length > CHUNK_BYTES) this.flush();
    this.#frames.push(frame);
    this.#bytes += frame.length;
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  /** Writes what was gathered. */
  flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const frames = this.#frames;
    if (frames.length === 0) return;
    const chunk = Buffer.concat(frames, this.#bytes);
    this.#frames = [];
    this.#bytes = 0;
    for (const connection of this.#options.connections()) this.#write(connection, chunk, frames.length);
  }

  #write(connection: Socket, chunk: Buffer, texts: number): void {
    const waiting = connection.writableLength;
    if (waiting === 0 || waiting + chunk.length <= MAX_EPHEMERAL_BYTES) {
      if (waiting === 0) this.#full.delete(connection);
      connection.write(chunk);
      return;
    }
    this.#dropped += texts;
    if (this.#full.has(connection)) return;
    this.#full.add(connection);
    this.#options.onFull();
  }
}
