import type { ServerOptions } from 'socket.io';

/**
 * What the server of Socket.IO is made with: all of its options but those by which it would keep events and rooms itself, and the
 * parser, since events are framed as JSON.
 *
 * @see https://socket.io/docs/v4/server-options/
 */
export type SocketIoOptions = Partial<Omit<ServerOptions, 'adapter' | 'connectionStateRecovery' | 'parser'>>;
