import { type Client, createClient, type WebSocketConstructor } from '@pregon/client';
import { CLOSE_CODES } from '@pregon/protocol';
import { WebSocket } from 'ws';
import { CONNECT_TIMEOUT_MS, RECONNECT_MS, type Surroundings } from './followers/follower.js';
import { tokenHeader } from './users/credentials.js';
import type { User } from './users/user.js';

/** A user of the client, which is told about its connection. */
export interface FramesUser {
  connected(where: string): void;
  refused(text: string): void;
  /** The gateway closed the connection, or refused it, with this code. */
  ended(code: number, reason: string): void;
  note(text: string): void;
}

/** How a client shows its token: in the request, or in frames, also on an open connection. */
export type Shown = 'header' | 'frames';

/** How the frame begins that says that a token was accepted. */
const AUTHORIZED = '{"op":"authorized"';

/** The end of the message of an error that a close code of the gateway caused. */
const CLOSED_WITH = /\(4\d{3}\)$/;

/** `@pregon/client` on `pregon.v1`, which connects to any gateway each time. */
export class FramesClient {
  readonly client: Client;
  /** The open connection, to be paused. */
  socket: WebSocket | undefined;
  /** The owner of its tokens. */
  readonly user: User;
  readonly #users: FramesUser[] = [];
  #headers: Record<string, string> = {};
  #attempts = 0;
  #again: NodeJS.Timeout | undefined;

  constructor(path: string, user: User, shown: Shown, around: Surroundings) {
    this.user = user;
    this.client = createClient({
      url: async () => {
        if (shown === 'header') this.#headers = tokenHeader((await user.token()).text);
        return around.url('ws', path).href;
      },
      ...(shown === 'frames' ? { token: async () => (await user.freshToken()).text } : {}),
      WebSocket: this.#observedWebSocket(around),
      reconnect: { minDelayMs: RECONNECT_MS.least, maxDelayMs: RECONNECT_MS.most },
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      random: () => around.random.fraction(),
    });
    this.client.on('error', (error) => {
      for (const user of this.#users) {
        // A close code is told by `ended` too.
        if (error.retryable || CLOSED_WITH.test(error.message)) user.note(`${error.code}: ${error.message}`);
        else user.refused(`${error.code}: ${error.message} ${String(error.cause)}`);
      }
    });
    this.client.on('state', ({ state, reason }) => {
      for (const user of this.#users) user.note(`${state} ${reason ?? ''}`);
    });
  }

  use(user: FramesUser): void {
    this.#users.push(user);
  }

  close(): void {
    clearTimeout(this.#again);
    this.client.close();
  }

  #observedWebSocket(around: Surroundings): WebSocketConstructor {
    const opened = (socket: WebSocket) => {
      this.socket = socket;
      for (const user of this.#users) user.connected(new URL(socket.url).host);
    };
    const attempts = () => this.#attempts;
    const ended = (attempt: number, code: number, reason: string) => {
      // A socket that the client has replaced may be closed much later, because its link was frozen.
      if (attempt !== this.#attempts) return;
      for (const user of this.#users) user.ended(code, reason);
      // The client has given up, until the user signs in again.
      if (code === CLOSE_CODES.REVOKED.code) this.#again = setTimeout(() => this.client.connectNow(), pauseMs());
    };
    const pauseMs = () => around.random.duration(RECONNECT_MS.least, RECONNECT_MS.most);
    const begin = () => {
      this.#attempts += 1;
      return this.#headers;
    };
    const received = (frame: string) => {
      // Before the client gets it, so that the events after it count under the rights of the new token.
      if (frame.startsWith(AUTHORIZED)) this.user.accepted();
    };
    return class extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol, { headers: begin() });
        const attempt = attempts();
        this.on('message', (data) => received(data.toString()));
        this.once('open', () => opened(this));
        this.once('close', (code, reason) => ended(attempt, code, reason.toString()));
      }
    };
  }
}
