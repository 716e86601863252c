/**
 * The size of one block. A connection that holds a piece keeps the whole block alive, so a block is no larger than one
 * chunk.
 */
export const MEMORY_BYTES = 65_536;

/** A larger piece gets memory of its own. */
const LARGEST_PIECE = MEMORY_BYTES / 2;

/**
 * Memory for chunks, cut from larger blocks. Node.js pools buffers in the same way, in blocks of 8 KiB. If a flush
 * makes a thousand chunks of 1 KB, allocating and collecting that many small blocks is a tenth of its cost.
 */
export class ChunkMemory {
  #memory = Buffer.allocUnsafeSlow(MEMORY_BYTES);
  #at = 0;

  /** @returns memory that is not shared with another caller; its content is not initialised */
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
