import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { afterTest } from '../../../../test/support/gateway/cleanup.js';
import { Inbox, within } from '../../../../test/support/gateway/inbox.js';

/** What came: the name of an event and its arguments. */
export type Came = readonly [name: string, ...args: unknown[]];

/** A stock client of Socket.IO that collects what comes. */
export class StockClient {
  readonly socket: Socket;
  readonly came = new Inbox<Came>();

  /** Waits until it is connected. */
  static async open(url: string, options: Partial<ManagerOptions & SocketOptions> = {}): Promise<StockClient> {
    const client = new StockClient(url, options);
    await within(
      new Promise<void>((resolve, reject) => {
        client.socket.once('connect', resolve);
        client.socket.once('connect_error', reject);
      }),
      `a connection to ${url}`,
    );
    return client;
  }

  private constructor(url: string, options: Partial<ManagerOptions & SocketOptions>) {
    this.socket = io(url, { forceNew: true, reconnection: false, transports: ['websocket'], ...options });
    afterTest(() => this.socket.disconnect());
    this.socket.onAny((name: string, ...args: unknown[]) => this.came.push([name, ...args]));
  }

  get id(): string | undefined {
    return this.socket.id;
  }

  emit(name: string, ...args: unknown[]): void {
    this.socket.emit(name, ...args);
  }

  /** Emits and waits for the acknowledgement. */
  ask(name: string, ...args: unknown[]): Promise<unknown> {
    return this.socket.timeout(5_000).emitWithAck(name, ...args);
  }

  /** Waits for so many events of this name; the first argument of each. */
  async values(name: string, count: number): Promise<unknown[]> {
    const some = () => this.came.all.filter((came) => came[0] === name).map(([, value]) => value);
    await this.came.until(() => some().length >= count, `${count} ${name}`);
    return some();
  }
}
