import type { PregonEvent } from '@pregon/protocol';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { afterTest } from '../cleanup.js';
import { numberOf } from './gateway.js';
import { Inbox, within } from './inbox.js';

export type Transports = readonly ('polling' | 'websocket')[];

export type SocketIoClientOptions = Partial<ManagerOptions & SocketOptions>;

/** The transports of a stock client; the last one upgrades. */
export const WAYS: readonly (readonly [name: string, transports: Transports])[] = [
  ['WebSocket', ['websocket']],
  ['long polling', ['polling']],
  ['polling that upgrades', ['polling', 'websocket']],
];

/** A message, by its name. */
export interface Emitted {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** A stock client of Socket.IO that records everything it receives. */
export class SocketIoClient {
  readonly socket: Socket;
  readonly received = new Inbox<Emitted>();
  /** For each connect: whether the client reports itself as recovered. */
  readonly recovered: boolean[] = [];

  static async open(url: string, options: SocketIoClientOptions = {}): Promise<SocketIoClient> {
    const client = new SocketIoClient(url, options);
    await client.connected();
    return client;
  }

  /** Does not wait. */
  constructor(url: string, options: SocketIoClientOptions = {}) {
    this.socket = io(url, { forceNew: true, reconnectionDelay: 20, reconnectionDelayMax: 200, ...options });
    afterTest(() => this.socket.disconnect());
    this.socket.on('connect', () => this.recovered.push(this.socket.recovered));
    this.socket.onAny((name: string, ...args: unknown[]) => this.received.push({ name, args }));
  }

  /** Waits until the client has entered its namespace this many times. */
  async connected(times = 1): Promise<void> {
    const entered = new Promise<void>((resolve) => {
      const look = () => {
        if (this.recovered.length >= times) resolve();
        else this.socket.once('connect', look);
      };
      look();
    });
    await within(entered, `${times} connects`, 60_000);
  }

  /** The arguments of all messages with this name. */
  of(name: string): (readonly unknown[])[] {
    return this.received.all.filter((emitted) => emitted.name === name).map(({ args }) => args);
  }

  /** The numbers of the events that came under this name. */
  numbers(name = 'event'): number[] {
    return this.of(name).map(([event]) => numberOf(toEvent(event)));
  }

  /** Waits for this many messages with a name, and returns their arguments. */
  async count(name: string, count: number, deadlineMs?: number): Promise<(readonly unknown[])[]> {
    await this.received.until(() => this.of(name).length >= count, `${count} × ${name}`, deadlineMs);
    return this.of(name);
  }

  /** Breaks the connection, after which the client reconnects by itself. */
  breakOff(): void {
    this.socket.io.engine.close();
  }

  /** Sends a message, and waits for the answer. */
  ask(name: string, ...args: unknown[]): Promise<unknown> {
    return this.socket.timeout(60_000).emitWithAck(name, ...args);
  }
}

export function toEvent(value: unknown): PregonEvent {
  if (isEvent(value)) return value;
  throw new TypeError(`not an event: ${JSON.stringify(value)?.slice(0, 200)}`);
}

function isEvent(value: unknown): value is PregonEvent {
  return typeof value === 'object' && value !== null && 'specversion' in value;
}
