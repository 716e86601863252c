import { WebSocketServer } from 'ws';
import { createPositioned } from '../events.js';
import { answer } from '../processes/answer.js';
import { type Fields, numberOf } from '../processes/messages.js';
import { producing } from './producing.js';

let server: WebSocketServer | undefined;
let eventBytes = 0;

/** The loop from the documentation of `ws`, with the text as bytes, which is cheaper than a string. */
function send(first: number, count: number): number {
  let bytes = 0;
  for (let number = first; number < first + count; number++) {
    const text = Buffer.from(JSON.stringify(createPositioned(number, eventBytes)));
    for (const client of server?.clients ?? []) {
      if (client.readyState !== client.OPEN) continue;
      client.send(text, { binary: false });
      bytes += text.length;
    }
  }
  return bytes;
}

answer({
  ...producing({ send }),
  async listen(fields: Fields) {
    eventBytes = numberOf(fields, 'eventBytes');
    const listening = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server = listening;
    await new Promise<void>((resolve) => listening.once('listening', () => resolve()));
    const address = listening.address();
    return { port: typeof address === 'object' && address ? address.port : 0 };
  },
  connections() {
    return { count: server?.clients.size ?? 0 };
  },
});
