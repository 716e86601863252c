import type { Transport } from '../../core/ports/transport.js';
import { assertSocketIoOptions, type SocketIoOptions } from './socketio-options.js';

/**
 * Socket.IO, for its stock clients: each route is a namespace that is named like its path. Its server is `gateway.io`.
 *
 * @param options those of the server of Socket.IO. @default Socket.IO's own defaults
 * @throws TypeError if an option is the gateway's own to choose: `adapter`, `connectionStateRecovery`, `parser`
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
