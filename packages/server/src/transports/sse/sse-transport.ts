import type { Transport } from '../../core/ports/transport.js';

/**
 * Server-Sent Events (HTML, section 9.2), for `EventSource` and other clients that read `text/event-stream`.
 *
 * @example
 * await createGateway({ log, routes, transports: [websocket(), sse()] });
 */
export function sse(): Transport {
  return {
    name: 'sse',
    offer: 'ask for text/event-stream',
    async entrance(kernel) {
      // Loaded with the first gateway: an application that only appends events does not need it.
      const { GatewayKernel } = await import('../kernel.js');
      const { EventStream, wantsStream } = await import('./event-stream.js');
      const streams = new EventStream(GatewayKernel.of(kernel).registry);
      return {
        takes: wantsStream,
        request: (request, response) => streams.handle(request, response),
        destroy: () => streams.destroy(),
      };
    },
  };
}
