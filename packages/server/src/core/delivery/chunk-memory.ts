/**
 * As many bytes as one chunk may have: whoever keeps a piece of a slab keeps all of it, which is no more than what a connection may keep
 * for a chunk.
 */
export const MEMORY_BYTES = 65_536;

/** A piece that is larger gets memory of its own. */
const LARGEST_PIECE = MEMORY_BYTES / 2;

/**
 * Memory for chunks, cut from larger pieces one behind the other. Node.js does the same by 8 KiB; where a flush makes a thousand chunks of a
 * kilobyte each, to get and to collect so many pieces is a tenth of what it costs.
 */
export class ChunkMemory {
  #memory = Buffer.allocUnsafeSlow(MEMORY_BYTES);
  #at = 0;

  /** @returns memory that nobody else has, with whatever stood in it */
  take(size: number): Buffer {
    if (size > LARGEST_PIECE) return Buffer.allocUnsafeSlow(size);
    if (this.#at + size > MEMORY_BYTES) {
      this.#memory = Buffer.allocUnsafeSlow(MEMORY_BYTES);
      this.#at = 0;
    }
    const piece = this.#memory.subarray(this.#at, this.#at + size);
    this.#at += size;
    return piece;
  }
}
