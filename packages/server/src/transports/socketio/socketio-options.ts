import type { ServerOptions } from 'socket.io';

/**
 * The options of the Socket.IO server, except those with which it would store events and rooms itself, and the parser,
 * because events are framed as JSON.
 *
 * @see https://socket.io/docs/v4/server-options/
 */
export type SocketIoOptions = Partial<Omit<ServerOptions, 'adapter' | 'connectionStateRecovery' | 'parser'>>;

/**
 * Checks options at run time, because types do not protect applications in JavaScript or YAML files.
 * @throws TypeError
 */
export function assertSocketIoOptions(options: object): void {
  const ours = ['adapter', 'connectionStateRecovery', 'parser'].find((name) => Object.hasOwn(options, name));
  if (ours !== undefined) throw new TypeError(`socketIo.${ours} cannot be set: recovery and rooms depend on it`);
}
