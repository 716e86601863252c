import type { Socket } from 'node:net';
import { MAX_EPHEMERAL_BYTES } from '../../../core/ports/ephemeral.js';
import { encodeTextFrame } from './text-frames.js';

/** The maximum number of bytes that are collected in one turn of the event loop before they are written. */
const CHUNK_BYTES = 65_536;

export interface TextSenderOptions {
  /** Returns the connections to write to; called for each chunk. */
  readonly connections: () => readonly Socket[];
  /**
   * A connection does not read, so messages are dropped. Called once until the connection has taken all waiting data.
   */
  readonly onFull: () => void;
}

/**
 * Writes texts to many connections. Each text is encoded once, there is one write per turn, and a connection that does
 * not read gets nothing more.
 */
export class TextSender {
  readonly #options: TextSenderOptions;
  /** The connections for which `onFull` was called. */
  readonly #full = new WeakSet<Socket>();
  #frames: Buffer[] = [];
  #bytes = 0;
  #scheduled: NodeJS.Immediate | undefined;
  #dropped = 0;

  constructor(options: TextSenderOptions) {
    this.#options = options;
  }

  /** The number of dropped texts, counted once for each connection; a text that is too large counts once. */
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

  /** Writes the collected frames. */
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
