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
  /** Writes messages to the connections of this gateway. */
  readonly fanOut: FanOut;
  /** Sends to the other gateways on the log; undefined if the log has no way for that. */
  tellOthers: ((broadcast: string) => void) | undefined;

  /** @param observer is told of dropped messages */
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
    // Encode local messages as well: a message that JSON cannot represent must fail here, before any connection gets
    // it.
    const broadcast = encodeBroadcast({ route: this.#route, message });
    if (!options.local) this.tellOthers?.(broadcast);
    return this.deliver(message, broadcast.length, options.except);
  }

  /** Writes to the connections of this gateway. @param bytes the approximate size of the message */
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
