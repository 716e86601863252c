import type { Transport } from '../../core/ports/transport.js';
import { assertSocketIoOptions, type SocketIoOptions } from './socketio-options.js';

/**
 * Socket.IO for its stock clients: each route is a namespace with the name of its path. Its server is `gateway.io`.
 *
 * @param options the options of the Socket.IO server. Default: Socket.IO's own defaults
 * @throws TypeError if an option is one that the gateway sets itself: `adapter`, `connectionStateRecovery`, `parser`
 * @example
 * await createGateway({ log, routes, transports: [websocket(), sse(), socketIo({ pingTimeout: 10_000 })] });
 * @see https://socket.io/docs/v4/server-options/
 */
export function socketIo(options: SocketIoOptions = {}): Transport {
  assertSocketIoOptions(options);
  return {
    name: 'socket.io',
    offer: 'connect by Socket.IO',
    async entrance(kernel) {
      const { GatewayKernel } = await import('../kernel.js');
      return GatewayKernel.of(kernel).openSocketIo(options);
    },
  };
}
