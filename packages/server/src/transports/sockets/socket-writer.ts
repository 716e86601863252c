import type { Duplex } from 'node:stream';
import { writePiece } from './write-piece.js';

/** A socket, or an HTTP/2 stream, which does not count its bytes. */
interface Outgoing extends Duplex {
  readonly bytesWritten?: number;
}

/**
 * Writes whole frames to the socket of a connection, and knows how many bytes the client has not taken yet. Bytes go to
 * the operating system at once if it has room. Only the rest waits here, and only up to a limit, because callers check
 * {@link SocketWriter.full} first.
 *
 * Links extend this class instead of holding an instance: each further object would cost memory for every idle
 * connection.
 */
export abstract class SocketWriter {
  readonly #socket: Outgoing;
  readonly #maxBufferedBytes: number;
  /** Counted only if the stream does not count. */
  #written = 0;
  #shut = false;
  #listening = false;

  constructor(socket: Outgoing, maxBufferedBytes: number) {
    this.#socket = socket;
    // A socket emits `drain` only if its own high-water mark was exceeded, so the limit must not be below that.
    this.#maxBufferedBytes = Math.max(maxBufferedBytes, socket.writableHighWaterMark);
  }

  /** False if the transport has already sent a close frame, after which nothing may follow. */
  protected abstract get isOpen(): boolean;

  /** Called when a check finds the writer full for the first time since it drained. */
  protected filled(): void {}

  /** Called when a full writer has drained. */
  protected abstract drained(): void;

  /** Also true after closing: nothing more is accepted. */
  get full(): boolean {
    if (this.closed) return true;
    const full = this.#socket.writableLength > this.#maxBufferedBytes;
    // The caller continues when {@link SocketWriter.drained} is called.
    if (full) this.#listen();
    return full;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Bytes from the client that were not read yet. */
  protected get unreadBytes(): number {
    return this.#socket.readableLength;
  }

  get takenBytes(): number {
    return (this.#socket.bytesWritten ?? this.#written) - this.#socket.writableLength;
  }

  get closed(): boolean {
    return this.#shut || !this.isOpen;
  }

  /** Delays writes until {@link SocketWriter.release}. */
  hold(): void {
    this.#socket.cork();
  }

  release(): void {
    this.#socket.uncork();
  }

  /** Ignores all later writes. */
  shut(): void {
    this.#shut = true;
  }

  protected write(bytes: Uint8Array): void {
    if (this.closed) return;
    if (this.#socket.bytesWritten === undefined) this.#written += bytes.length;
    writePiece(this.#socket, bytes);
  }

  /** Listens only while something waits: a permanent listener would cost memory for every idle connection. */
  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.filled();
    this.#socket.once('drain', () => {
      this.#listening = false;
      this.drained();
    });
  }
}
