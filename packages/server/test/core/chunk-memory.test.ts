import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkMemory, MEMORY_BYTES } from '../../src/core/delivery/chunk-memory.js';

describe('a slab', () => {
  it('gives each piece memory of its own', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(2_000), fc.nat(MEMORY_BYTES * 2)), { maxLength: 200 }), (sizes) => {
        const slab = new ChunkMemory();
        const pieces = sizes.map((size, number) => slab.take(size).fill(number));
        for (const [number, piece] of pieces.entries()) {
          expect(piece.length).toBe(sizes[number]);
          expect(piece.every((byte) => byte === number % 256)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('[I-7] keeps at most one chunk of memory for a small piece, and no extra memory for a large one', () => {
    const slab = new ChunkMemory();
    expect(slab.take(1).buffer.byteLength).toBe(MEMORY_BYTES);
    expect(slab.take(MEMORY_BYTES).buffer.byteLength).toBe(MEMORY_BYTES);
    expect(slab.take(MEMORY_BYTES * 3).buffer.byteLength).toBe(MEMORY_BYTES * 3);
  });
});
