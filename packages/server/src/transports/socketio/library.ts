import { createRequire } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What is used of the packages of Socket.IO. */
export interface SocketIoLibrary
  extends Pick<typeof import('socket.io'), 'Server'>,
    Pick<typeof import('socket.io-adapter'), 'Adapter' | 'ClusterAdapterWithHeartbeat' | 'MessageType'>,
    Pick<typeof import('socket.io-parser'), 'Decoder' | 'Encoder'> {}

/**
 * The packages that Socket.IO loads by itself, each before those that need it. The last name of a row is found from the one before it:
 * two of them have a `ws` of their own. One that a later release does not have is loaded with what follows.
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

// These packages are CommonJS. `import` would have to be static or asynchronous, and `gateway.io` is neither.
const load = createRequire(import.meta.url);

let library: SocketIoLibrary | undefined;

/** Loads Socket.IO when it is asked for first, in one piece: about 60 ms of CPU. */
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
 * The same in turns of the event loop, one for each of its parts: those who are connected already do not wait for the first client of
 * Socket.IO.
 */
export async function loadSocketIo(): Promise<SocketIoLibrary> {
  if (library) return library;
  const loadPart = createRequire(load.resolve('socket.io'));
  for (const [part, inner] of PARTS) {
    try {
      if (inner) createRequire(loadPart.resolve(part))(inner);
      else loadPart(part);
    } catch {
      // What is wrong with it, loading the whole says.
    }
    await nextTurn();
  }
  return socketIo();
}
