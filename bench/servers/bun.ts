import { createPositioned } from '../events.js';
import { answer } from '../processes/answer.js';
import { type Fields, numberOf } from '../processes/messages.js';
import { producing } from './producing.js';

/** What is used here of Bun's own types, which are not installed. */
declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    fetch(request: Request, server: BunServer): Response | undefined;
    websocket: { idleTimeout: number; open(socket: BunSocket): void; message(): void };
  }): BunServer;
};

interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
  /** @returns bytes, 0 where it was dropped, -1 where it waits for somebody */
  publish(topic: string, text: string): number;
  subscriberCount(topic: string): number;
}

interface BunSocket {
  subscribe(topic: string): void;
}

const TOPIC = 'price.1.set';

let server: BunServer | undefined;
let eventBytes = 0;

/** As Bun's documentation has it: all subscribe to a topic, the server publishes to it. */
function send(first: number, count: number): number {
  let bytes = 0;
  const subscribers = server?.subscriberCount(TOPIC) ?? 0;
  for (let number = first; number < first + count; number++) {
    const text = JSON.stringify(createPositioned(number, eventBytes));
    server?.publish(TOPIC, text);
    bytes += text.length * subscribers;
  }
  return bytes;
}

answer({
  ...producing({ send }),
  listen(fields: Fields) {
    eventBytes = numberOf(fields, 'eventBytes');
    server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request, upgrading) => (upgrading.upgrade(request) ? undefined : new Response('', { status: 426 })),
      // 0: a round may leave a connection idle for longer than it allows.
      websocket: { idleTimeout: 0, open: (socket) => socket.subscribe(TOPIC), message() {} },
    });
    return { port: server.port };
  },
  connections() {
    return { count: server?.subscriberCount(TOPIC) ?? 0 };
  },
});
