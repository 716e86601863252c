import type { Duplex } from 'node:stream';
import { MEMORY_BYTES } from '../../core/delivery/chunk-memory.js';

/** A waiting piece is copied if the block that it keeps alive is more than this many times larger. */
const WASTEFUL = 4;

/**
 * Writes bytes that may be a piece of a larger memory block, as small chunks are. If the piece has to wait behind other
 * data, a copy is written instead: a full socket would otherwise keep many times its limit alive. A chunk for many
 * connections has memory of its own, and is shared even while it waits.
 */
export function writePiece(socket: Duplex, piece: Uint8Array): void {
  const isWasteful = piece.buffer.byteLength === MEMORY_BYTES && piece.length * WASTEFUL < MEMORY_BYTES;
  const waits = socket.writableLength > 0 && socket.writableCorked === 0;
  socket.write(isWasteful && waits ? Buffer.from(piece) : piece);
}
