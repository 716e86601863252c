import type { Transport } from '../core/ports/transport.js';
import { socketIo } from '../transports/socketio/socketio-transport.js';
import { sse } from '../transports/sse/sse-transport.js';
import { websocket } from '../transports/websocket/websocket-transport.js';
import type { GatewayOptions } from './options.js';

/**
 * Returns the transports of a gateway. The option `socketIo` is a shorthand for `socketIo()` in `transports`.
 *
 * @throws TypeError if two transports have the same name, or Socket.IO is configured in both ways
 */
export function transportsOf({ transports, socketIo: options }: GatewayOptions): readonly Transport[] {
  const chosen = transports ?? [websocket(), sse(), ...(options === false ? [] : [socketIo(options)])];
  const all = transports && options ? [...transports, socketIo(options)] : chosen;
  const names = all.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === 'socket.io') {
    throw new TypeError(
      'transports: Socket.IO is configured twice; pass its options either to socketIo() in transports, or in the option socketIo',
    );
  }
  if (twice !== undefined) throw new TypeError(`transports: ${twice} is listed twice; remove one of the two`);
  return all;
}
