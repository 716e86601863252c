import { type Client, createClient, type WebSocketConstructor } from '@pregon/client';
import { WebSocket } from 'ws';
import { CONNECT_TIMEOUT_MS, RECONNECT_MS, type Surroundings } from './followers/follower.js';

/** A user of the client, which is told about its connection. */
export interface FramesUser {
  connected(where: string): void;
  wrong(text: string): void;
  note(text: string): void;
}

/** `@pregon/client` on `pregon.v1`, which connects to any gateway each time. */
export class FramesClient {
  readonly client: Client;
  /** The open connection, to be paused. */
  socket: WebSocket | undefined;
  readonly #users: FramesUser[] = [];

  constructor(path: string, around: Surroundings) {
    this.client = createClient({
      url: () => around.url('ws', path).href,
      WebSocket: this.#observedWebSocket(),
      reconnect: { minDelayMs: RECONNECT_MS.least, maxDelayMs: RECONNECT_MS.most },
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      random: () => around.random.fraction(),
    });
    this.client.on('error', (error) => {
      for (const user of this.#users) {
        if (error.retryable) user.note(`${error.code}: ${error.message}`);
        else user.wrong(`${error.code}: ${error.message} ${String(error.cause)}`);
      }
    });
    this.client.on('state', ({ state, reason }) => {
      for (const user of this.#users) user.note(`${state} ${reason ?? ''}`);
    });
  }

  use(user: FramesUser): void {
    this.#users.push(user);
  }

  #observedWebSocket(): WebSocketConstructor {
    const opened = (socket: WebSocket) => {
      this.socket = socket;
      for (const user of this.#users) user.connected(new URL(socket.url).host);
    };
    return class extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol);
        this.once('open', () => opened(this));
      }
    };
  }
}
