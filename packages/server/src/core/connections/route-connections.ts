import { encodeBroadcast } from '../broadcasts/broadcast.js';
import { FanOut } from '../broadcasts/fan-out.js';
import { Message } from '../broadcasts/message.js';
import type { TurnBudget } from '../incoming/turn-budget.js';
import type { Observer } from '../ports/observer.js';
import type { BroadcastOptions, Connections } from './connections.js';
import type { Member } from './member.js';

/** The connections of one route of this gateway. */
export class RouteConnections implements Connections {
  readonly #route: string;
  readonly #open = new Set<Member>();
  /** The messages on their way to the connections of this gateway. */
  readonly fanOut: FanOut;
  /** The way to the other gateways on the log, where there is one. */
  tellOthers: ((broadcast: string) => void) | undefined;

  /** @param observer is told of messages that are dropped */
  constructor(route: string, turn?: TurnBudget, observer?: Observer) {
    this.#route = route;
    this.fanOut = new FanOut(this.#open, turn, () => observer?.ephemeralDropped?.(route));
  }

  get count(): number {
    return this.#open.size;
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#open.values();
  }

  broadcast(data: unknown, options: BroadcastOptions = {}): number {
    const message = new Message(options.name ?? 'message', data);
    // Also where it stays here: what cannot be written is to reach nobody, not those whose transport comes first.
    const broadcast = encodeBroadcast({ route: this.#route, message });
    if (!options.local) this.tellOthers?.(broadcast);
    return this.deliver(message, broadcast.length, options.except);
  }

  /** Writes to the connections of this gateway. @param bytes about how large the message is */
  deliver(message: Message, bytes: number, except?: object): number {
    return this.fanOut.send(message, except, bytes);
  }

  add(connection: Member): void {
    this.#open.add(connection);
  }

  delete(connection: Member): void {
    this.#open.delete(connection);
  }
}
