import { assertEvent } from '@pregon/protocol';
import { io, type Socket } from 'socket.io-client';
import { Journal } from '../journal.js';
import type { FollowerReport } from '../settings.js';
import { Statistics } from '../statistics.js';
import { type Again, Session } from '../users/session.js';
import {
  CONNECT_TIMEOUT_MS,
  expectedOf,
  type Follower,
  type FollowerOptions,
  type Pausable,
  RECONNECT_MS,
  type Surroundings,
} from './follower.js';

export interface SocketIoFollowerOptions extends FollowerOptions {
  readonly transports: readonly ('polling' | 'websocket')[];
  /** The name it listens to. Each event comes under its type and as `event`, and must come once under each. */
  readonly listensTo: 'event' | 'types';
}

/** Names of messages that are not event types. */
const OURS = new Set(['event', 'subscribed', 'checkpoint', 'reset', 'refused', 'closing', 'draining']);

/**
 * The stock client of Socket.IO, which resumes by its own recovery. Only the gateway is chosen here, and the token shown,
 * anew at each attempt.
 */
export class SocketIoFollower implements Follower {
  readonly #options: SocketIoFollowerOptions;
  readonly #around: Surroundings;
  readonly #statistics: Statistics;
  readonly #journal: Journal;
  readonly #session: Session;
  #since: string;
  #socket: Socket;
  #again: NodeJS.Timeout | undefined;

  constructor(options: SocketIoFollowerOptions, around: Surroundings) {
    const { name, user, asks, since } = options;
    this.#options = options;
    this.#around = around;
    this.#since = since;
    this.#journal = new Journal(around.folder, expectedOf(options));
    this.#statistics = new Statistics(name, expectedOf(options).topics, this.#journal);
    this.#session = new Session(user, asks, this.#journal, this.#statistics);
    this.#socket = this.#open();
  }

  /** The open connection, to be paused; a polling client is slow anyway. */
  get pausable(): Pausable | undefined {
    const webSocket: unknown = Reflect.get(Object(this.#socket.io.engine?.transport), 'ws');
    return isPausable(webSocket) ? webSocket : undefined;
  }

  report(): FollowerReport {
    return this.#statistics.report();
  }

  close(): void {
    clearTimeout(this.#again);
    this.#socket.disconnect();
  }

  written(early: boolean): Promise<void> {
    return early ? this.#journal.left() : this.#journal.close();
  }

  #open(): Socket {
    const { path, transports, listensTo } = this.#options;
    const socket = io(this.#around.url('http', path).href, {
      forceNew: true,
      transports: [...transports],
      auth: (send: (handshake: object) => void) => void this.#handshake().then(send),
      reconnectionDelay: RECONNECT_MS.least,
      reconnectionDelayMax: RECONNECT_MS.most,
      timeout: CONNECT_TIMEOUT_MS,
    });
    socket.io.on('reconnect_attempt', () => {
      Reflect.set(socket.io, 'uri', this.#around.url('http', path).origin);
    });
    socket.on('connect', () => this.#statistics.connected(String(Reflect.get(socket.io, 'uri'))));
    socket.on('connect_error', (error) => this.#failed(error));
    socket.on('disconnect', (reason) => this.#disconnected(reason));
    socket.onAny((name: string, event: unknown) => {
      if (listensTo === 'event' ? name === 'event' : !OURS.has(name)) this.#received(event);
      else this.#control(name, event);
    });
    return socket;
  }

  async #handshake(): Promise<object> {
    const token = await this.#session.token();
    const { asks } = this.#session;
    return { token, since: this.#since, ...(asks.length > 0 ? { topics: asks } : {}) };
  }

  #received(event: unknown): void {
    assertEvent(event);
    this.#journal.event(event);
    this.#around.seen(event);
  }

  #control(name: string, data: unknown): void {
    if (name === 'subscribed') this.#statistics.opened(Reflect.get(Object(data), 'recovered') === true);
    else if (name === 'reset') {
      this.#statistics.reset(JSON.stringify(data));
      this.#journal.reset('anywhere');
    } else if (name === 'closing') {
      this.#journal.note(`closing: ${JSON.stringify(data)}`);
      this.#session.ended(Number(Reflect.get(Object(data), 'code')), JSON.stringify(data));
    } else if (name === 'refused') {
      this.#refused(data);
    }
  }

  #refused(data: unknown): void {
    const text = JSON.stringify(data);
    if (Reflect.get(Object(data), 'code') === 'FORBIDDEN') this.#return(this.#session.forbidden(text));
    else if (Reflect.get(Object(data), 'retryable') !== true) this.#journal.refused(text);
  }

  /** The gateway refused the namespace. After that, a stock client does not reconnect by itself. */
  #failed(error: Error): void {
    this.#journal.note(`connect_error: ${error.message}`);
    if (this.#socket.active) return;
    const status = Number(Reflect.get(Object(Reflect.get(error, 'data')), 'status'));
    const again = this.#session.refused(status, error.message);
    this.#returnLater(again);
  }

  #returnLater(again: Again): void {
    const { least, most } = RECONNECT_MS;
    this.#again = setTimeout(() => this.#return(again), this.#around.random.duration(least, most));
  }

  /** A client that begins anew is another one: its session would go on from the position of the former one. */
  #return(again: Again): void {
    if (again === 'again') return void this.#socket.connect();
    this.#since = 'first';
    this.#socket.off();
    this.#socket.offAny();
    this.#socket.disconnect();
    this.#socket = this.#open();
  }

  #disconnected(reason: string): void {
    this.#journal.note(`disconnected: ${reason}`);
    // After this reason, a stock client does not reconnect by itself.
    if (reason !== 'io server disconnect') return;
    if (!this.#statistics.isShutOut) this.#journal.refused('disconnected for good');
    this.#returnLater('again');
  }
}

function isPausable(value: unknown): value is Pausable {
  return typeof value === 'object' && value !== null && 'pause' in value && 'resume' in value;
}
