import type { ClientConnection } from '../../core/connections/client-connection.js';
import { forgetListenerTable } from '../../private-fields/node-net.js';
import { PacedSocket } from '../sockets/paced-socket.js';

/** How many pongs may wait for a client that keeps sending pings. `ws` has the same limit. */
const MOST_PONGS = 60;

/** Receives the events of all clients. */
export interface ClientListener {
  message(connection: ClientConnection, data: Buffer, isBinary: boolean): void;
  ping(connection: ClientConnection): void;
  pong(connection: ClientConnection): void;
  failed(connection: ClientConnection, error: Error): void;
  closed(connection: ClientConnection, code: number, reason: string): void;
}

/**
 * A WebSocket that reports its events to one listener for all clients. Listeners of its own, and the table in which an
 * emitter keeps them, would cost about seven hundred bytes for each idle connection.
 */
export class ClientSocket extends PacedSocket {
  #listener: ClientListener | undefined;
  #connection: ClientConnection | undefined;
  #pongs = 0;

  tell(listener: ClientListener, connection: ClientConnection): void {
    this.#listener = listener;
    this.#connection = connection;
    forgetListenerTable(this);
  }

  protected override deliver(event: string | symbol, args: readonly unknown[]): boolean {
    if (!this.#listener || !this.#connection) return super.deliver(event, args);
    if (event === 'ping') this.#answer(args[0]);
    tell(this.#listener, this.#connection, event, args);
    return true;
  }

  /**
   * Answers a ping. `ws` can do this itself, but keeps a function for each client, even if the client never sends a
   * ping.
   */
  #answer(data: unknown): void {
    if (this.readyState !== this.OPEN) return;
    if (this.#pongs >= MOST_PONGS) return this.terminate();
    this.#pongs += 1;
    this.pong(data, false, () => {
      this.#pongs -= 1;
    });
  }
}

function tell(
  listener: ClientListener,
  connection: ClientConnection,
  event: string | symbol,
  args: readonly unknown[],
): void {
  const [first, second] = args;
  if (event === 'message' && Buffer.isBuffer(first)) listener.message(connection, first, second === true);
  else if (event === 'ping') listener.ping(connection);
  else if (event === 'pong') listener.pong(connection);
  else if (event === 'error' && first instanceof Error) listener.failed(connection, first);
  else if (event === 'close') {
    listener.closed(connection, Number(first), Buffer.isBuffer(second) ? second.toString() : '');
  }
}
