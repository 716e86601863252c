import { SUBPROTOCOL } from '@pregon/protocol';
import { WebSocket } from 'ws';
import { afterTest } from '../cleanup.js';
import { Inbox } from '../gateway/inbox.js';
import { SEPARATOR } from '../socketio/engine-client.js';
import type { Way } from './recording.js';

/**
 * The connection of a client, without a client library. It keeps the received frames as texts. The end of the
 * connection is a frame too: `END`, with the close code or status.
 */
export interface Wire {
  readonly frames: Inbox<string>;
  send(text: string): void | Promise<void>;
  /** Breaks the connection, without a close frame. */
  drop(): void;
}

interface Target {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function openWire(way: Way, { host, target, headers }: Target): Wire {
  switch (way) {
    case 'websocket':
      return new SocketWire(`ws://${host}${target}`, [], headers);
    case 'pregon.v1':
      return new SocketWire(`ws://${host}${target}`, [SUBPROTOCOL], headers);
    case 'sse':
      return new StreamWire(`http://${host}${target}`, headers);
    case 'socketio-websocket':
      return new SocketWire(`ws://${host}/socket.io/?EIO=4&transport=websocket`, [], headers);
    case 'socketio-polling':
      return new PollingWire(`http://${host}/socket.io/?EIO=4&transport=polling`, headers);
  }
}

class SocketWire implements Wire {
  readonly frames = new Inbox<string>();
  readonly #socket: WebSocket;
  readonly #opened: Promise<void>;

  constructor(url: string, protocols: string[], headers: Readonly<Record<string, string>>) {
    const socket = new WebSocket(url, protocols, { headers: { ...headers } });
    afterTest(() => socket.terminate());
    this.#socket = socket;
    this.#opened = new Promise((resolve) => socket.once('open', resolve));
    socket.on('message', (data, isBinary) => this.frames.push(isBinary ? 'BINARY' : data.toString()));
    socket.once('unexpected-response', (_, { statusCode }) => this.frames.push(`END with status ${statusCode}`));
    socket.once('close', (code, reason) => this.frames.push(`END ${code} ${reason}`));
    socket.on('error', () => {});
  }

  async send(text: string): Promise<void> {
    await this.#opened;
    this.#socket.send(text);
  }

  drop(): void {
    this.#socket.terminate();
  }
}

class StreamWire implements Wire {
  readonly frames = new Inbox<string>();
  readonly #ended = new AbortController();

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    afterTest(() => this.drop());
    void this.#read(url, { Accept: 'text/event-stream', ...headers });
  }

  send(): void {
    throw new TypeError('a client of an event stream cannot send');
  }

  drop(): void {
    this.#ended.abort();
  }

  async #read(url: string, headers: Record<string, string>): Promise<void> {
    try {
      const { status, body } = await fetch(url, { headers, signal: this.#ended.signal });
      if (status !== 200 || !body) return this.frames.push(`END with status ${status}`);
      let rest = '';
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        const blocks = `${rest}${chunk}`.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) this.frames.push(block);
      }
      this.frames.push('END of the stream');
    } catch {
      this.frames.push('END by the client');
    }
  }
}

class PollingWire implements Wire {
  readonly frames = new Inbox<string>();
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #ended = new AbortController();
  readonly #sid: Promise<string>;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.#url = url;
    this.#headers = { ...headers };
    let opened: (sid: string) => void = () => {};
    this.#sid = new Promise((resolve) => {
      opened = resolve;
    });
    afterTest(() => this.drop());
    void this.#poll(opened);
  }

  async send(text: string): Promise<void> {
    const { signal } = this.#ended;
    await fetch(`${this.#url}&sid=${await this.#sid}`, { method: 'POST', body: text, signal, headers: this.#headers });
  }

  drop(): void {
    this.#ended.abort();
  }

  async #poll(opened: (sid: string) => void): Promise<void> {
    const { signal } = this.#ended;
    try {
      for (let url = this.#url; ; url = `${this.#url}&sid=${await this.#sid}`) {
        const answer = await fetch(url, { signal, headers: this.#headers });
        const text = await answer.text();
        if (answer.status !== 200) return this.frames.push(`END with status ${answer.status}`);
        const packets = text.split(SEPARATOR);
        for (const packet of packets) {
          // A noop packet only ends a poll.
          if (packet !== '6') this.frames.push(packet);
          if (packet.startsWith('0')) opened(String(Reflect.get(Object(JSON.parse(packet.slice(1))), 'sid')));
        }
        if (packets.includes('1')) return this.frames.push('END of the transport');
      }
    } catch {
      this.frames.push('END by the client');
    }
  }
}
