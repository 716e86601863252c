import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { createPositioned } from '../events.js';
import { answer } from '../processes/answer.js';
import { type Fields, numberOf } from '../processes/messages.js';
import { producing } from './producing.js';

/** The bytes of the protocol around an event: `42["event",` and `]`. */
const AROUND_BYTES = 12;

let io: Server | undefined;
let eventBytes = 0;

function send(first: number, count: number): number {
  let bytes = 0;
  for (let number = first; number < first + count; number++) {
    const event = createPositioned(number, eventBytes);
    bytes += (JSON.stringify(event).length + AROUND_BYTES) * (io?.engine.clientsCount ?? 0);
    io?.emit('event', event);
  }
  return bytes;
}

answer({
  ...producing({ send }),
  async listen(fields: Fields) {
    eventBytes = numberOf(fields, 'eventBytes');
    const http = createServer();
    io = new Server(http, { serveClient: false });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', () => resolve()));
    const address = http.address();
    return { port: typeof address === 'object' && address ? address.port : 0 };
  },
  connections() {
    return { count: io?.engine.clientsCount ?? 0 };
  },
});
