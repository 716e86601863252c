import type { Duplex } from 'node:stream';
import { MEMORY_BYTES } from '../../core/delivery/chunk-memory.js';

/** From how many times its own bytes on the slab that a piece keeps is too much for one that waits. */
const WASTEFUL = 4;

/**
 * Writes bytes that may be a piece of a slab, as small chunks are. Where they are going to wait, because others wait already, a copy does:
 * a socket that is full of pieces would else keep many times what it may. What many take has memory of its own, and is shared also while it waits.
 */
export function writePiece(socket: Duplex, piece: Uint8Array): void {
  const isWasteful = piece.buffer.byteLength === MEMORY_BYTES && piece.length * WASTEFUL < MEMORY_BYTES;
  const waits = socket.writableLength > 0 && socket.writableCorked === 0;
  socket.write(isWasteful && waits ? Buffer.from(piece) : piece);
}
