import type { Transport } from '../../core/ports/transport.js';

/**
 * WebSocket (RFC 6455): plain, which sends only events, and with the subprotocol `pregon.v1`.
 *
 * @example
 * await createGateway({ log, routes, transports: [websocket()] });
 */
export function websocket(): Transport {
  return {
    name: 'websocket',
    offer: 'connect by WebSocket',
    async entrance(kernel) {
      // Loaded with the first gateway: an application that only appends events does not need it.
      const [{ GatewayKernel }, { WebSocketUpgrade }] = await Promise.all([
        import('../kernel.js'),
        import('./upgrade.js'),
      ]);
      const { registry, frames } = GatewayKernel.of(kernel);
      const upgrades = new WebSocketUpgrade(registry, frames);
      return {
        // Takes all upgrades: a request for another protocol is refused with a reason.
        takes: () => true,
        upgrade: (request, socket, head) => upgrades.handle(request, socket, head),
        destroy: () => upgrades.destroy(),
      };
    },
  };
}
