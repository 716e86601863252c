import type { ServerOptions } from 'socket.io';

/**
 * What the server of Socket.IO is made with: all of its options but those by which it would keep events and rooms itself, and the
 * parser, since events are framed as JSON.
 *
 * @see https://socket.io/docs/v4/server-options/
 */
export type SocketIoOptions = Partial<Omit<ServerOptions, 'adapter' | 'connectionStateRecovery' | 'parser'>>;

/** Types do not hold those who write JavaScript or YAML. @throws TypeError */
export function assertSocketIoOptions(options: object): void {
  const ours = ['adapter', 'connectionStateRecovery', 'parser'].find((name) => Object.hasOwn(options, name));
  if (ours !== undefined) throw new TypeError(`socketIo.${ours} is not to be chosen: recovery and rooms depend on it`);
}
