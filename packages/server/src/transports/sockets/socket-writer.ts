import type { Duplex } from 'node:stream';
import { writePiece } from './write-piece.js';

/** A socket, or a stream of HTTP/2, which does not count its bytes. */
interface Outgoing extends Duplex {
  readonly bytesWritten?: number;
}

/**
 * Writes to a connection's socket, whole frames only, and knows how much of it the client has not taken yet. What is written
 * goes to the operating system at once where it has room; only what does not fit waits here, and only up to a limit, since
 * whoever writes asks {@link SocketWriter.full} first.
 *
 * To be extended by what has one, not held: each object more is what every idle connection pays for.
 */
export abstract class SocketWriter {
  readonly #socket: Outgoing;
  readonly #maxBufferedBytes: number;
  /** Counted only where the stream does not. */
  #written = 0;
  #shut = false;
  #listening = false;

  constructor(socket: Outgoing, maxBufferedBytes: number) {
    this.#socket = socket;
    // Below its own mark a socket never says that it has drained.
    this.#maxBufferedBytes = Math.max(maxBufferedBytes, socket.writableHighWaterMark);
  }

  /** False once the transport has said goodbye by itself: nothing may follow that. */
  protected abstract get isOpen(): boolean;

  /** Found full for the first time since it drained. */
  protected filled(): void {}

  /** What was found full has been taken. */
  protected abstract drained(): void;

  /** Also true once it is closed: nothing more goes in. */
  get full(): boolean {
    if (this.closed) return true;
    const full = this.#socket.writableLength > this.#maxBufferedBytes;
    // Whoever finds it full comes back when told.
    if (full) this.#listen();
    return full;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** What the client has said and nobody has listened to. */
  protected get unreadBytes(): number {
    return this.#socket.readableLength;
  }

  get takenBytes(): number {
    return (this.#socket.bytesWritten ?? this.#written) - this.#socket.writableLength;
  }

  get closed(): boolean {
    return this.#shut || !this.isOpen;
  }

  /** What is written waits for {@link SocketWriter.release}. */
  hold(): void {
    this.#socket.cork();
  }

  release(): void {
    this.#socket.uncork();
  }

  /** From now on nothing is written any more. */
  shut(): void {
    this.#shut = true;
  }

  protected write(bytes: Uint8Array): void {
    if (this.closed) return;
    if (this.#socket.bytesWritten === undefined) this.#written += bytes.length;
    writePiece(this.#socket, bytes);
  }

  /** Only while something waits: a listener would cost every idle connection. */
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
