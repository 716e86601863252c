import type { IncomingMessage } from 'node:http';
import { assertEvent, type PregonEvent } from '@pregon/protocol';
import { type ClientOptions, WebSocket } from 'ws';
import { afterTest } from '../cleanup.js';
import { numberOf } from './gateway.js';
import { Inbox, within } from './inbox.js';

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A stock WebSocket without a subprotocol that collects everything it receives. */
export class PlainClient {
  readonly socket: WebSocket;
  readonly events = new Inbox<PregonEvent>();
  /** The messages that are not events. */
  readonly messages = new Inbox<string | Buffer>();
  /** The text of every event frame. */
  readonly texts: string[] = [];
  readonly closed: Promise<Closed>;
  readonly #opened: Promise<void>;

  /** Opens a client, and waits until it is open. */
  static async open(url: string, options?: ClientOptions): Promise<PlainClient> {
    const client = new PlainClient(url, options);
    await client.opened();
    return client;
  }

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, options);
    afterTest(() => this.socket.terminate());
    this.#opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    // An error is reported to the code that awaits `opened`.
    this.#opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
  }

  opened(): Promise<void> {
    return within(this.#opened, 'a WebSocket to open');
  }

  close(): Promise<Closed> {
    this.socket.close(1000);
    return this.whenClosed();
  }

  whenClosed(deadlineMs?: number): Promise<Closed> {
    return within(this.closed, 'a WebSocket to close', deadlineMs);
  }

  /** Waits for this many events, and returns the numbers of all. */
  async numbers(count: number, deadlineMs?: number): Promise<number[]> {
    return (await this.events.count(count, deadlineMs)).map(numberOf);
  }

  #receive(data: WebSocket.RawData, isBinary: boolean): void {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    if (isBinary) return this.messages.push(bytes);
    const text = bytes.toString();
    if (!text.includes('"specversion"')) return this.messages.push(text);
    const event: unknown = JSON.parse(text);
    assertEvent(event);
    this.texts.push(text);
    this.events.push(event);
  }
}

/** Resolves with the answer that refuses a handshake. */
export function refusal(url: string, options: ClientOptions & { protocols?: string[] } = {}): Promise<IncomingMessage> {
  const { protocols = [], ...rest } = options;
  const socket = new WebSocket(url, protocols, rest);
  afterTest(() => socket.terminate());
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    socket.once('unexpected-response', (_request, response) => resolve(response.resume()));
    socket.once('open', () => reject(new Error('the handshake was admitted')));
    socket.once('error', reject);
  });
  return within(answered, 'a refusal');
}
