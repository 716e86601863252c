import { createRequire } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The parts of the Socket.IO packages that are used. */
export interface SocketIoLibrary
  extends Pick<typeof import('socket.io'), 'Server'>,
    Pick<typeof import('socket.io-adapter'), 'Adapter' | 'ClusterAdapterWithHeartbeat' | 'MessageType'>,
    Pick<typeof import('socket.io-parser'), 'Decoder' | 'Encoder'> {}

/**
 * The packages that Socket.IO loads, each before the packages that depend on it. A second name in a row is resolved
 * from the package before it: two packages have a `ws` of their own. A package that a later release lacks is skipped;
 * its replacement is loaded with the next one.
 */
const PARTS = [
  ['debug'],
  ['accepts'],
  ['cors'],
  ['engine.io-parser'],
  ['engine.io', 'ws'],
  ['engine.io'],
  ['socket.io-parser'],
  ['socket.io-adapter', 'ws'],
  ['socket.io-adapter'],
] as const;

// These packages are CommonJS. `import` must be static or asynchronous, but `gateway.io` is synchronous and must load
// on demand.
const load = createRequire(import.meta.url);

let library: SocketIoLibrary | undefined;

/** Loads Socket.IO on first use, in one piece: about 60 ms of CPU time. */
export function socketIo(): SocketIoLibrary {
  if (library) return library;
  const { Server }: typeof import('socket.io') = load('socket.io');
  const { Adapter, ClusterAdapterWithHeartbeat, MessageType }: typeof import('socket.io-adapter') =
    load('socket.io-adapter');
  const { Decoder, Encoder }: typeof import('socket.io-parser') = load('socket.io-parser');
  library = { Server, Adapter, ClusterAdapterWithHeartbeat, MessageType, Decoder, Encoder };
  return library;
}

/**
 * Loads Socket.IO in several event loop turns, one for each package, so that connected clients do not wait for the
 * first client of Socket.IO.
 */
export async function loadSocketIo(): Promise<SocketIoLibrary> {
  if (library) return library;
  const loadPart = createRequire(load.resolve('socket.io'));
  for (const [part, inner] of PARTS) {
    try {
      if (inner) createRequire(loadPart.resolve(part))(inner);
      else loadPart(part);
    } catch {
      // A real failure is reported when the whole library is loaded below.
    }
    await nextTurn();
  }
  return socketIo();
}
