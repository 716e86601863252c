import { constants, inflateRaw, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { Semaphore } from '../../../core/time/semaphore.js';
import { type MessageExtension, replaceInflation } from '../../../private-fields/ws.js';
import type { PacedSocket } from '../../sockets/paced-socket.js';
import { TRAILER } from './deflate.js';

/** Messages that inflate to at most this size are inflated synchronously; clients rarely send larger ones. */
const AT_ONCE_BYTES = 16_384;

/**
 * How many larger messages are inflated at the same time, for all connections together: half of the threads of
 * Node.js's pool, which also serves files and DNS lookups.
 */
const turns = new Semaphore(2);

type Inflated = (error: Error | null, message?: Buffer) => void;

/**
 * Inflates messages of a client in place of `ws`. `ws` keeps an inflater of 10 to 40 KiB for each client that has ever
 * sent a compressed message, and browsers compress even the shortest one. This class keeps nothing between messages,
 * because each message of a client starts with an empty context.
 */
export class Inflation implements MessageExtension {
  readonly #client: PacedSocket;
  readonly #maxBytes: number;
  #parts: Parts | undefined;

  /** If the internals of `ws` have changed, `ws` keeps inflating by itself, with the same limit but at that cost. */
  static install(client: PacedSocket, maxBytes: number): void {
    replaceInflation(client, new Inflation(client, maxBytes));
  }

  /**
   * @param maxBytes of an inflated message: a larger one ends the connection with 1009, without being inflated further
   */
  private constructor(client: PacedSocket, maxBytes: number) {
    this.#client = client;
    this.#maxBytes = maxBytes;
  }

  /** Always calls back asynchronously; with the whole message when its last part has arrived. */
  decompress(part: Buffer, last: boolean, inflated: Inflated): void {
    this.#client.setInflating(true);
    const callback: Inflated = (error, message) => {
      this.#client.setInflating(false);
      inflated(error, message);
    };
    if (!last) {
      this.#parts ??= new Parts();
      this.#parts.add(part);
      process.nextTick(callback, null, Buffer.alloc(0));
      return;
    }
    this.#parts?.add(part);
    const message = Buffer.concat([this.#parts?.bytes ?? part, TRAILER]);
    this.#parts = undefined;
    this.#inflate(message, callback);
  }

  cleanup(): void {
    this.#parts = undefined;
  }

  #inflate(message: Buffer, callback: Inflated): void {
    const atOnce = Math.min(AT_ONCE_BYTES, this.#maxBytes);
    try {
      process.nextTick(callback, null, inflateRawSync(message, limited(atOnce)));
    } catch (error) {
      if (!isTooLarge(error) || atOnce === this.#maxBytes) process.nextTick(() => this.#refuse(error, callback));
      else this.#inflateInTurn(message, callback);
    }
  }

  #inflateInTurn(message: Buffer, callback: Inflated): void {
    turns.take((done) => {
      inflateRaw(message, limited(this.#maxBytes), (error, inflated) => {
        done();
        if (error) this.#refuse(error, callback);
        else callback(null, inflated);
      });
    });
  }

  #refuse(cause: unknown, callback: Inflated): void {
    const tooLarge = isTooLarge(cause);
    const reason = tooLarge ? `more than ${this.#maxBytes} bytes in one message` : 'not compressed as agreed';
    this.#client.close(tooLarge ? 1009 : 1007, reason);
    callback(new Error(reason, { cause }));
  }
}

/** The parts of an incomplete message in one buffer, because there may be many parts of one byte each. */
class Parts {
  #buffer = Buffer.alloc(0);
  #size = 0;

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size);
  }

  add(part: Buffer): void {
    const size = this.#size + part.length;
    if (size > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(size, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.#size);
      this.#buffer = larger;
    }
    part.copy(this.#buffer, this.#size);
    this.#size = size;
  }
}

/** Inflating stops as soon as the limit is exceeded. */
function limited(maxOutputLength: number): ZlibOptions {
  return { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
