import { encodeBroadcast } from '../broadcasts/broadcast.js';
import { FanOut } from '../broadcasts/fan-out.js';
import { Message } from '../broadcasts/message.js';
import type { TurnBudget } from '../incoming/turn-budget.js';
import type { Connection } from './connection.js';

export interface BroadcastOptions {
  /** Who shall not get it, as a rule the one that it comes from. */
  readonly except?: Connection;
  /** The `name` under `pregon.v1`. @default 'message' */
  readonly name?: string;
  /** Only to the connections of this gateway: for what each gateway tells its own, as a subscriber does. @default false */
  readonly local?: boolean;
}

/** The connections of one route of this gateway. */
export class Connections implements Iterable<Connection> {
  readonly #route: string;
  readonly #open = new Set<Connection>();
  /** The messages on their way to the connections of this gateway. @internal */
  readonly fanOut: FanOut;
  /** The way to the other gateways on the log, where there is one. @internal */
  tellOthers: ((broadcast: string) => void) | undefined;

  constructor(route: string, turn?: TurnBudget) {
    this.#route = route;
    this.fanOut = new FanOut(this.#open, turn);
  }

  get count(): number {
    return this.#open.size;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#open.values();
  }

  /**
   * Sends an ephemeral message to all connections of this route, on all gateways of the log: text or bytes as they are, anything
   * else as JSON. It is encoded once. A connection that is full does not get it, nor do those of a gateway that does not read or cannot be
   * reached: at most once, and from one gateway in order. To many connections it is written over several turns of the event loop; while
   * more than 1,000 messages or 8 MiB wait for that, it is dropped.
   *
   * @returns how many connections of this gateway it was written to, or will be
   * @throws TypeError where JSON cannot hold the data; then nobody gets it
   */
  broadcast(data: unknown, options: BroadcastOptions = {}): number {
    const message = new Message(options.name ?? 'message', data);
    // Also where it stays here: what cannot be written is to reach nobody, not those whose transport comes first.
    const broadcast = encodeBroadcast({ route: this.#route, message });
    if (!options.local) this.tellOthers?.(broadcast);
    return this.deliver(message, broadcast.length, options.except);
  }

  /** Writes to the connections of this gateway. @param bytes about how large the message is @internal */
  deliver(message: Message, bytes: number, except?: Connection): number {
    return this.fanOut.send(message, except, bytes);
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
