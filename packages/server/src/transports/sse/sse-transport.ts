import type { Transport } from '../../core/ports/transport.js';
import { GatewayKernel } from '../kernel.js';
import { EventStream, wantsStream } from './event-stream.js';

/**
 * Server-Sent Events (HTML, section 9.2), for `EventSource` and whoever reads `text/event-stream`.
 *
 * @example
 * await createGateway({ log, routes, transports: [websocket(), sse()] });
 */
export function sse(): Transport {
  return {
    name: 'sse',
    offer: 'ask for text/event-stream',
    entrance(kernel) {
      const streams = new EventStream(GatewayKernel.of(kernel).door);
      return {
        takes: wantsStream,
        request: (request, response) => streams.handle(request, response),
        destroy: () => streams.destroy(),
      };
    },
  };
}
