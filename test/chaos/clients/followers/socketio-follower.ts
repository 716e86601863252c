import { assertEvent } from '@pregon/protocol';
import { io, type Socket } from 'socket.io-client';
import { Journal } from '../journal.js';
import type { FollowerReport } from '../settings.js';
import { Statistics } from '../statistics.js';
import {
  CONNECT_TIMEOUT_MS,
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
 * The stock client of Socket.IO, which resumes by its own recovery. Only the gateway is chosen here, anew at each
 * attempt.
 */
export class SocketIoFollower implements Follower {
  readonly #socket: Socket;
  readonly #statistics: Statistics;
  readonly #journal: Journal;

  constructor(options: SocketIoFollowerOptions, around: Surroundings) {
    const { topics, since, transports, listensTo } = options;
    this.#journal = new Journal(around.folder, options);
    this.#statistics = new Statistics(options.name, topics, this.#journal);
    const url = around.url('http', options.path);
    this.#socket = io(url.href, {
      forceNew: true,
      transports: [...transports],
      auth: { topics, since },
      reconnectionDelay: RECONNECT_MS.least,
      reconnectionDelayMax: RECONNECT_MS.most,
      timeout: CONNECT_TIMEOUT_MS,
    });
    this.#socket.io.on('reconnect_attempt', () => {
      Reflect.set(this.#socket.io, 'uri', around.url('http', options.path).origin);
    });
    this.#socket.on('connect', () => this.#statistics.connected(String(Reflect.get(this.#socket.io, 'uri'))));
    this.#socket.on('connect_error', (error) => this.#journal.note(`connect_error: ${error.message}`));
    this.#socket.on('disconnect', (reason) => this.#disconnected(reason));
    this.#socket.onAny((name: string, event: unknown) => {
      if (listensTo === 'event' ? name === 'event' : !OURS.has(name)) this.#received(event, around);
      else this.#control(name, event);
    });
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
    this.#socket.disconnect();
  }

  written(early: boolean): Promise<void> {
    return early ? this.#journal.left() : this.#journal.close();
  }

  #received(event: unknown, around: Surroundings): void {
    assertEvent(event);
    this.#journal.event(event);
    around.seen(event);
  }

  #control(name: string, data: unknown): void {
    if (name === 'subscribed') this.#statistics.opened(Reflect.get(Object(data), 'recovered') === true);
    else if (name === 'reset') {
      this.#statistics.reset(JSON.stringify(data));
      this.#journal.reset('anywhere');
    } else if (name === 'refused' && Reflect.get(Object(data), 'retryable') !== true) {
      this.#journal.wrong(`refused: ${JSON.stringify(data)}`);
    }
  }

  #disconnected(reason: string): void {
    this.#journal.note(`disconnected: ${reason}`);
    // After this reason, a stock client does not reconnect by itself.
    if (reason === 'io server disconnect') this.#journal.wrong('disconnected for good');
  }
}

function isPausable(value: unknown): value is Pausable {
  return typeof value === 'object' && value !== null && 'pause' in value && 'resume' in value;
}
