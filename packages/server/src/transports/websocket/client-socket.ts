import type { ClientConnection } from '../../core/connections/client-connection.js';
import { forgetListenerTable } from '../../private-fields/node-net.js';
import { PacedSocket } from '../sockets/paced-socket.js';

/** How many answers to pings may wait to be taken by a client that goes on to ask: as many as `ws` lets wait by itself. */
const MOST_PONGS = 60;

/** Hears all clients. */
export interface ClientListener {
  message(connection: ClientConnection, data: Buffer, isBinary: boolean): void;
  ping(connection: ClientConnection): void;
  pong(connection: ClientConnection): void;
  failed(connection: ClientConnection, error: Error): void;
  closed(connection: ClientConnection, code: number, reason: string): void;
}

/**
 * A WebSocket that tells one listener for all what happens to it: listeners of its own, and the table in which an emitter keeps them, would
 * cost each idle connection some seven hundred bytes.
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

  /** What `ws` does by itself where it is let, for which it keeps a function for each client that may never ask. */
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
