import type { Socket } from 'node:net';

/**
 * Writes to a connection's socket, whole frames only, and knows how much of it the client has not taken yet. What is written
 * goes to the operating system at once where it has room; only what does not fit waits here, and only up to a limit, since
 * whoever writes asks {@link SocketOutlet.full} first.
 */
export class SocketOutlet {
  readonly #socket: Socket;
  readonly #maxBufferedBytes: number;
  readonly #isOpen: () => boolean;
  #closed = false;

  /** @param isOpen false once the transport has said goodbye by itself: nothing may follow that */
  constructor(socket: Socket, maxBufferedBytes: number, isOpen: () => boolean) {
    this.#socket = socket;
    this.#isOpen = isOpen;
    // Below its own mark a socket never says that it has drained.
    this.#maxBufferedBytes = Math.max(maxBufferedBytes, socket.writableHighWaterMark);
  }

  /** Also true once it is closed: nothing more goes in. */
  get full(): boolean {
    return this.closed || this.#socket.writableLength > this.#maxBufferedBytes;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  get takenBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  get closed(): boolean {
    return this.#closed || !this.#isOpen();
  }

  write(bytes: Uint8Array): void {
    if (!this.closed) this.#socket.write(bytes);
  }

  /** What is written waits for {@link SocketOutlet.release}. */
  hold(): void {
    this.#socket.cork();
  }

  release(): void {
    this.#socket.uncork();
  }

  /** From now on nothing is written any more. */
  close(): void {
    this.#closed = true;
  }
}
