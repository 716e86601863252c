import { WebSocketServer } from 'ws';
import { createOrder } from '../orders.js';
import { answer } from '../processes/answer.js';
import { producing } from './producing.js';

let server: WebSocketServer | undefined;

/**
 * Sends orders in a loop, compressed as `ws` does by default: with one compressor per client, which keeps its context.
 */
function send(first: number, count: number): number {
  let bytes = 0;
  for (let number = first; number < first + count; number++) {
    const text = Buffer.from(JSON.stringify(createOrder(number)));
    for (const client of server?.clients ?? []) client.send(text, { binary: false });
    bytes += text.length * (server?.clients.size ?? 0);
  }
  return bytes;
}

answer({
  ...producing({ send }),
  async listen() {
    const listening = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true });
    server = listening;
    await new Promise<void>((resolve) => listening.once('listening', () => resolve()));
    const address = listening.address();
    return { port: typeof address === 'object' && address ? address.port : 0 };
  },
  connections() {
    return { count: server?.clients.size ?? 0 };
  },
});
