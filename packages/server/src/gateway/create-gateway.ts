import type { OnlySocketIoTypes, SocketIoTypes } from '../transports/socketio/socketio-types.js';
import type { Gateway } from './gateway.js';
import type { GatewayOptions } from './options.js';

/**
 * Creates a gateway: opens the log, and builds handlers and subscribers. The gateway can then listen.
 *
 * The implementation is loaded by the first call, because an application that only appends events does not need it.
 *
 * @typeParam T the events of {@link Gateway.io}
 * @throws TypeError | RangeError if an option is not valid
 * @throws PregonError LOG_UNAVAILABLE | CONFIG_INVALID | DRIVER_MISSING | TOPIC_INVALID
 * @example
 * const gateway = await createGateway({ log: 'sqlite:data/pregon.db', routes: { events: { path: '/events' } } });
 * await gateway.listen({ port: 1234 });
 */
export async function createGateway<T extends OnlySocketIoTypes<T> = SocketIoTypes>(
  options: GatewayOptions,
): Promise<Gateway<T>> {
  const { assembleGateway } = await import('./assemble.js');
  return assembleGateway<T>(options, undefined);
}
