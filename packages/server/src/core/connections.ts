import type { Connection } from './connection.js';
import { Message } from './message.js';

/** The connections of one route. */
export class Connections implements Iterable<Connection> {
  readonly #open = new Set<Connection>();

  get count(): number {
    return this.#open.size;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#open.values();
  }

  /**
   * Sends an ephemeral message to all: text or bytes as they are, anything else as JSON. It is encoded once. A connection
   * that is full does not get it.
   *
   * @param options.except who shall not get it, as a rule the one that it comes from
   * @param options.name the `name` under `pregon.v1`. @default 'message'
   * @returns how many it was written to
   */
  broadcast(data: unknown, options: { except?: Connection; name?: string } = {}): number {
    const message = new Message(options.name ?? 'message', data);
    let written = 0;
    for (const connection of this.#open) {
      if (connection !== options.except && connection.sendMessage(message)) written += 1;
    }
    return written;
  }

  /** @internal */
  add(connection: Connection): void {
    this.#open.add(connection);
  }

  /** @internal */
  delete(connection: Connection): void {
    this.#open.delete(connection);
  }
}
