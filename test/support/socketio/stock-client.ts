import type { UnknownEvents } from 'pregon';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { afterTest } from '../gateway/cleanup.js';
import { Inbox, within } from '../gateway/inbox.js';

export type StockSocket = Socket<UnknownEvents, UnknownEvents>;

export type StockOptions = Partial<ManagerOptions & SocketOptions>;

/** An event as a client got it. */
export interface Heard {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** The stock client of Socket.IO, that collects what comes. */
export class StockClient {
  readonly socket: StockSocket;
  /** All but those of the log, and what the gateway says itself. */
  readonly heard = new Inbox<Heard>();
  /** Under which name ever they came, and only once where they come twice. */
  readonly events = new Inbox<unknown>();
  readonly disconnects = new Inbox<string>();
  readonly errors = new Inbox<Error>();

  /** Waits until it is connected. */
  static async open(url: string, options?: StockOptions): Promise<StockClient> {
    const client = new StockClient(url, options);
    await client.connected();
    return client;
  }

  constructor(url: string, options: StockOptions = {}) {
    this.socket = io(url, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200, ...options });
    afterTest(() => this.socket.disconnect());
    this.socket.onAny((name: string, ...args: unknown[]) => {
      if (name === 'event') this.events.push(args[0]);
      else if (!isGateways(name, args)) this.heard.push({ name, args });
    });
    this.socket.on('disconnect', (reason) => this.disconnects.push(reason));
    this.socket.on('connect_error', (error) => this.errors.push(error));
  }

  get id(): string {
    const { id } = this.socket;
    if (id === undefined) throw new Error('it is not connected');
    return id;
  }

  get transport(): string {
    return this.socket.io.engine.transport.name;
  }

  /** Waits until it is connected, which it may be already. */
  connected(deadlineMs?: number): Promise<void> {
    if (this.socket.connected) return Promise.resolve();
    return within(new Promise((resolve) => this.socket.once('connect', resolve)), 'a client to connect', deadlineMs);
  }

  /** Waits until what it began by polling goes by WebSocket. */
  upgraded(): Promise<void> {
    const { engine } = this.socket.io;
    if (this.transport === 'websocket') return Promise.resolve();
    return within(new Promise((resolve) => engine.once('upgrade', () => resolve())), 'an upgrade');
  }

  /** The next answer to what it emits. */
  async ask(name: string, ...args: unknown[]): Promise<unknown> {
    return this.socket.timeout(5_000).emitWithAck(name, ...args);
  }

  /** All arguments of the events of a name, so far. */
  argsOf(name: string): (readonly unknown[])[] {
    return this.heard.all.filter((heard) => heard.name === name).map(({ args }) => args);
  }

  /** Waits for so many events of a name. */
  async hears(name: string, count = 1, deadlineMs?: number): Promise<(readonly unknown[])[]> {
    await this.heard.until(() => this.argsOf(name).length >= count, `${count} of ${name}`, deadlineMs);
    return this.argsOf(name);
  }
}

/** What the gateway says itself, and the first of the two names under which events of the log come. */
function isGateways(name: string, args: readonly unknown[]): boolean {
  if (['subscribed', 'checkpoint', 'draining', 'closing'].includes(name)) return true;
  return Reflect.get(Object(args[0]), 'specversion') === '1.0';
}
