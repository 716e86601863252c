import { assertEvent, CLOSE_CODES, mayReconnect } from '@pregon/protocol';
import { type RawData, WebSocket } from 'ws';
import { HEARTBEAT_MS } from '../../names.js';
import { Journal } from '../journal.js';
import type { FollowerReport } from '../settings.js';
import { Statistics } from '../statistics.js';
import {
  CONNECT_TIMEOUT_MS,
  type Follower,
  type FollowerOptions,
  RECONNECT_MS,
  type Surroundings,
} from './follower.js';

/** How long a gateway may be silent, although it pings regularly. */
const SILENCE_MS = 4 * HEARTBEAT_MS;

/** Only `new WebSocket(url)`: its whole state is the position of the last event. */
export class PlainFollower implements Follower {
  /** The open connection, to be paused. */
  socket: WebSocket | undefined;
  readonly #options: FollowerOptions;
  readonly #around: Surroundings;
  readonly #statistics: Statistics;
  readonly #journal: Journal;
  #since: string;
  #closed = false;
  #silence: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(options: FollowerOptions, around: Surroundings) {
    this.#options = options;
    this.#around = around;
    this.#since = options.since;
    this.#journal = new Journal(around.folder, options);
    this.#statistics = new Statistics(options.name, options.topics, this.#journal);
    this.#connect();
  }

  report(): FollowerReport {
    return this.#statistics.report();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#silence);
    clearTimeout(this.#again);
    this.socket?.terminate();
  }

  written(early: boolean): Promise<void> {
    return early ? this.#journal.left() : this.#journal.close();
  }

  #connect(): void {
    const url = this.#around.url('ws', this.#options.path);
    url.searchParams.set('since', this.#since);
    url.searchParams.set('topics', this.#options.topics.join(','));
    const socket = new WebSocket(url, { handshakeTimeout: CONNECT_TIMEOUT_MS });
    this.socket = socket;
    socket.on('open', () => {
      this.#statistics.connected(url.host);
      this.#statistics.opened(true);
      this.#heard(socket);
    });
    socket.on('message', (data) => this.#received(socket, data));
    socket.on('ping', () => this.#heard(socket));
    socket.on('error', (error) => this.#journal.note(error.message));
    socket.on('close', (code, reason) => this.#lost(code, reason.toString()));
  }

  #received(socket: WebSocket, data: RawData): void {
    if (this.#closed) return;
    this.#heard(socket);
    const event: unknown = JSON.parse(data.toString());
    assertEvent(event);
    this.#journal.event(event);
    this.#around.seen(event);
    this.#since = event.position ?? this.#since;
  }

  #heard(socket: WebSocket): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      // A client that does not read cannot receive a ping.
      if (socket.isPaused) this.#heard(socket);
      else socket.terminate();
    }, SILENCE_MS);
  }

  #lost(code: number, reason: string): void {
    clearTimeout(this.#silence);
    if (this.#closed) return;
    this.#journal.note(`closed: ${code} ${reason}`);
    if (code === CLOSE_CODES.RESET.code) {
      this.#statistics.reset(reason);
      this.#journal.reset('first');
      this.#since = 'first';
    } else if (!mayReconnect(code)) {
      this.#journal.wrong(`refused for good: ${code} ${reason}`);
    }
    const { least, most } = RECONNECT_MS;
    this.#again = setTimeout(() => this.#connect(), this.#around.random.duration(least, most));
  }
}
