import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ChunkMemory } from '../../src/core/delivery/chunk-memory.js';
import { writePiece } from '../../src/transports/sockets/write-piece.js';

const opened: { destroy(): void }[] = [];

afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

/** A socket whose peer reads nothing, and the memory that its waiting data keeps alive. */
async function unread(): Promise<{ socket: Socket; keptBytes: () => number }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const socket = connect({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, host: '127.0.0.1' });
  const [peer]: unknown[] = await once(server, 'connection');
  server.close();
  if (!(peer instanceof Socket)) throw new Error('no connection');
  opened.push(socket, peer);
  const kept = new Set<ArrayBufferLike>();
  const write = socket.write.bind(socket);
  socket.write = (data: unknown) => {
    const whole = data instanceof Uint8Array ? data : Buffer.alloc(0);
    const taken = write(whole);
    if (socket.writableLength > 0) kept.add(whole.buffer);
    return taken;
  };
  const keptBytes = () => [...kept].reduce((sum, { byteLength }) => sum + byteLength, 0);
  return { socket, keptBytes };
}

describe('a full socket', () => {
  it('[I-7] keeps its waiting bytes, but not the memory of the shared chunk that they were cut from', async () => {
    const { socket, keptBytes } = await unread();
    const filling = Buffer.alloc(65_536);
    while (socket.writableLength === 0) writePiece(socket, filling);
    const before = keptBytes();
    const slab = new ChunkMemory();
    for (let n = 0; n < 1_000; n++) {
      writePiece(socket, slab.take(200).fill(n));
      // Chunks for others.
      for (let other = 0; other < 70; other++) slab.take(1_000);
    }
    expect(socket.writableLength).toBeGreaterThanOrEqual(200_000);
    expect(keptBytes() - before).toBeLessThan(200_000 * 2);
  });
});
