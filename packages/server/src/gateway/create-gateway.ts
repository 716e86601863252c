import type { OnlySocketIoTypes, SocketIoTypes } from '../transports/socketio/socketio-types.js';
import { assembleGateway } from './assemble.js';
import type { Gateway } from './gateway.js';
import type { GatewayOptions } from './options.js';

/**
 * Makes a gateway: opens the log, builds handlers and subscribers, and is ready to listen.
 *
 * @typeParam T the events of {@link Gateway.io}
 * @throws TypeError | RangeError if an option is not valid
 * @throws PregonError LOG_UNAVAILABLE | CONFIG_INVALID | TOPIC_INVALID
 * @example
 * const gateway = await createGateway({ log: 'sqlite:data/pregon.db', routes: { events: { path: '/events' } } });
 * await gateway.listen({ port: 1234 });
 */
export function createGateway<T extends OnlySocketIoTypes<T> = SocketIoTypes>(
  options: GatewayOptions,
): Promise<Gateway<T>> {
  return assembleGateway<T>(options, undefined);
}
