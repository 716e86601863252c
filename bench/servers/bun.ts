import { createPositioned } from '../events.js';
import { answer } from '../processes/answer.js';
import { type Fields, numberOf } from '../processes/messages.js';
import { producing } from './producing.js';

/** The part of Bun's types that is used here; the types themselves are not installed. */
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
  /** @returns bytes sent; 0 if the message was dropped, -1 if it is queued */
  publish(topic: string, text: string): number;
  subscriberCount(topic: string): number;
}

interface BunSocket {
  subscribe(topic: string): void;
}

const TOPIC = 'price.1.set';

let server: BunServer | undefined;
let eventBytes = 0;

/** As in Bun's documentation: all sockets subscribe to a topic, and the server publishes to it. */
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
      // 0, because a connection may be idle between rounds for longer than any timeout allows.
      websocket: { idleTimeout: 0, open: (socket) => socket.subscribe(TOPIC), message() {} },
    });
    return { port: server.port };
  },
  connections() {
    return { count: server?.subscriberCount(TOPIC) ?? 0 };
  },
});
