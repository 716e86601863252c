import type { ClientRequest, IncomingMessage } from 'node:http';
import { assertEvent, CLOSE_CODES } from '@pregon/protocol';
import { type RawData, WebSocket } from 'ws';
import { HEARTBEAT_MS } from '../../names.js';
import { Journal } from '../journal.js';
import type { FollowerReport } from '../settings.js';
import { Statistics } from '../statistics.js';
import { NoTicket, type Presented, ticketOf, tokenHeader } from '../users/credentials.js';
import { type Again, Session } from '../users/session.js';
import {
  CONNECT_TIMEOUT_MS,
  expectedOf,
  type Follower,
  type FollowerOptions,
  RECONNECT_MS,
  type Surroundings,
} from './follower.js';

/** How long a gateway may be silent, although it pings regularly. */
const SILENCE_MS = 4 * HEARTBEAT_MS;

export interface PlainFollowerOptions extends FollowerOptions {
  readonly presents: Presented;
}

/** Only `new WebSocket(url)`: its whole state is the position of the last event. */
export class PlainFollower implements Follower {
  /** The open connection, to be paused. */
  socket: WebSocket | undefined;
  readonly #options: PlainFollowerOptions;
  readonly #around: Surroundings;
  readonly #statistics: Statistics;
  readonly #journal: Journal;
  readonly #session: Session;
  #since: string;
  #closed = false;
  #silence: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(options: PlainFollowerOptions, around: Surroundings) {
    const { name, user, asks, since } = options;
    this.#options = options;
    this.#around = around;
    this.#since = since;
    this.#journal = new Journal(around.folder, expectedOf(options));
    this.#statistics = new Statistics(name, expectedOf(options).topics, this.#journal);
    this.#session = new Session(user, asks, this.#journal, this.#statistics);
    void this.#connect();
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

  async #connect(): Promise<void> {
    const url = this.#around.url('ws', this.#options.path);
    const { asks } = this.#session;
    url.searchParams.set('since', this.#since);
    if (asks.length > 0) url.searchParams.set('topics', asks.join(','));
    try {
      const headers = await this.#present(url);
      if (!this.#closed) this.#open(url, headers);
    } catch (error) {
      this.#journal.note(String(error));
      this.#return(error instanceof NoTicket ? this.#session.refused(error.status, error.message) : 'again');
    }
  }

  async #present(url: URL): Promise<Record<string, string>> {
    const token = await this.#session.token();
    if (this.#options.presents === 'header') return tokenHeader(token);
    url.searchParams.set('ticket', await ticketOf(this.#around.url('http', this.#options.path), token));
    return {};
  }

  #open(url: URL, headers: Record<string, string>): void {
    const socket = new WebSocket(url, { handshakeTimeout: CONNECT_TIMEOUT_MS, headers });
    let refused: Again | undefined;
    this.socket = socket;
    socket.on('open', () => {
      this.#statistics.connected(url.host);
      this.#statistics.opened(true);
      this.#heard(socket);
    });
    socket.on('message', (data) => this.#received(socket, data));
    socket.on('ping', () => this.#heard(socket));
    socket.on('error', (error) => this.#journal.note(error.message));
    socket.on('unexpected-response', (_request: ClientRequest, response: IncomingMessage) => {
      const { statusCode = 0, statusMessage = '', headers: answered } = response;
      const reason = `${statusMessage} ${answered['www-authenticate'] ?? ''}`;
      this.#journal.note(`refused: ${statusCode} ${reason}`);
      refused = this.#session.refused(statusCode, reason);
      socket.terminate();
    });
    socket.on('close', (code, reason) => this.#lost(code, reason.toString(), refused));
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

  #lost(code: number, reason: string, refused: Again | undefined): void {
    clearTimeout(this.#silence);
    if (this.#closed) return;
    this.#journal.note(`closed: ${code} ${reason}`);
    if (code === CLOSE_CODES.RESET.code) {
      this.#statistics.reset(reason);
      this.#journal.reset('first');
    }
    this.#return(refused ?? this.#session.ended(code, reason));
  }

  #return(again: Again): void {
    if (this.#closed) return;
    if (again === 'anew') this.#since = 'first';
    const { least, most } = RECONNECT_MS;
    this.#again = setTimeout(() => void this.#connect(), this.#around.random.duration(least, most));
  }
}
