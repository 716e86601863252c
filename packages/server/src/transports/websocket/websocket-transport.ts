import type { Transport } from '../../core/ports/transport.js';
import { GatewayKernel } from '../kernel.js';
import { WebSocketUpgrade } from './upgrade.js';

/**
 * WebSocket (RFC 6455): plain, events and nothing else, and with the subprotocol `pregon.v1`.
 *
 * @example
 * await createGateway({ log, routes, transports: [websocket()] });
 */
export function websocket(): Transport {
  return {
    name: 'websocket',
    offer: 'connect by WebSocket',
    entrance(kernel) {
      const { door, frames } = GatewayKernel.of(kernel);
      const upgrades = new WebSocketUpgrade(door, frames);
      return {
        // Of upgrades: what is none of WebSocket is refused with a reason.
        takes: () => true,
        upgrade: (request, socket, head) => upgrades.handle(request, socket, head),
        destroy: () => upgrades.destroy(),
      };
    },
  };
}
