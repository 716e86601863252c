// @ts-check
import { closeSync, constants, fdatasync, fstatSync, ftruncateSync, openSync, readSync, write } from 'node:fs';
import { promisify } from 'node:util';

const CHUNK_BYTES = 1_048_576;

/** A file with the payloads of all events, one per line, because compact JSON has no line break. */
export class EventFile {
  #file;
  #end = 0;

  /** @param {string} path */
  constructor(path) {
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  /** Yields each complete line and the offset of its start. @returns {Generator<[payload: Buffer, place: number]>} */
  *lines() {
    const { size } = fstatSync(this.#file);
    let rest = Buffer.alloc(0);
    for (let at = 0; at < size; at += CHUNK_BYTES) {
      rest = Buffer.concat([rest, this.read(at, Math.min(CHUNK_BYTES, size - at))]);
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        yield [rest.subarray(0, end), this.#end];
        this.#end += end + 1;
        rest = rest.subarray(end + 1);
      }
    }
    // A process that is killed during a write leaves an incomplete line. Its append was never confirmed, so drop it.
    ftruncateSync(this.#file, this.#end);
  }

  /** Durable when it resolves. @param {readonly Uint8Array[]} payloads @returns {Promise<number[]>} their offsets */
  async append(payloads) {
    const bytes = Buffer.concat(payloads.flatMap((payload) => [payload, Buffer.from('\n')]));
    // Remove what a failed append has left.
    ftruncateSync(this.#file, this.#end);
    for (let done = 0; done < bytes.length; ) {
      const [left, at] = [bytes.length - done, this.#end + done];
      done += (await promisify(write)(this.#file, bytes, done, left, at)).bytesWritten;
    }
    await promisify(fdatasync)(this.#file);
    return payloads.map((payload) => {
      const place = this.#end;
      this.#end += payload.length + 1;
      return place;
    });
  }

  /** @param {number} place @param {number} size */
  read(place, size) {
    const bytes = Buffer.alloc(size);
    readSync(this.#file, bytes, 0, size, place);
    return bytes;
  }

  close() {
    closeSync(this.#file);
  }
}
