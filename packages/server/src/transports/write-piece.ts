import type { Socket } from 'node:net';

/** From how many times its own bytes on the memory that a piece keeps is too much for one that waits. */
const WASTEFUL = 4;

/**
 * Writes bytes that may be a small piece of a large memory, as chunks are. Where they are going to wait, because others wait already,
 * a copy does: a socket that is full of pieces would else keep many times what it may.
 */
export function writePiece(socket: Socket, piece: Uint8Array): void {
  const isWasteful = socket.writableLength > 0 && piece.length * WASTEFUL < piece.buffer.byteLength;
  socket.write(isWasteful ? Buffer.from(piece) : piece);
}
