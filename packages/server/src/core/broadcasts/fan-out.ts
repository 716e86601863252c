import { toError } from '@pregon/protocol';
import type { Member } from '../connections/member.js';
import type { TurnBudget } from '../incoming/turn-budget.js';
import type { Message } from './message.js';

/** How many connections get a message between two looks at the clock. */
const BETWEEN_LOOKS = 16;

/** The most messages, and the most bytes of messages, that may wait for the connections of one route. */
const MOST_WAITING = 1_000;
const MOST_WAITING_BYTES = 8_388_608;

interface Delivery {
  readonly message: Message;
  readonly except: object | undefined;
  /** The connections that were open when the message was sent. */
  readonly targets: readonly Member[];
  next: number;
}

/**
 * Writes messages to the connections of a route, in order, within the turn budget. A message to ten thousand
 * connections takes several event loop turns, and later messages wait for it. Messages over the limits are dropped,
 * because they are ephemeral. While messages wait, the gateway does not read from connections that send to the route.
 * So only other gateways and timers can fill the queue.
 */
export class FanOut {
  readonly #connections: ReadonlySet<Member>;
  readonly #turn: TurnBudget | undefined;
  readonly #waiting: Delivery[] = [];
  #waitingBytes = 0;
  readonly #onDropped: () => void;
  #isScheduled = false;
  /** The connections that are not read from until no message waits. */
  #senders = new Set<Member>();

  /**
   * @param turn the budget of each event loop turn; undefined for no limit
   * @param onDropped called for each message that is dropped for all its connections
   */
  constructor(connections: ReadonlySet<Member>, turn: TurnBudget | undefined, onDropped: () => void) {
    this.#onDropped = onDropped;
    this.#connections = connections;
    this.#turn = turn;
  }

  /** Whether messages wait. */
  get isBehind(): boolean {
    return this.#waiting.length > 0;
  }

  /** Calls {@link Member.regulate} of the connection in a later turn, as soon as no message waits. */
  holdUntilDone(sender: Member): void {
    this.#senders.add(sender);
  }

  /**
   * Writes a message to as many connections as the turn budget allows, and to the others in later turns.
   *
   * @param bytes the approximate size of the message
   * @returns the number of connections that the message was or will be written to
   */
  send(message: Message, except: object | undefined, bytes: number): number {
    const turn = this.#turn;
    if (!turn) return this.#writeAll(message, except);
    if (this.#waiting.length >= MOST_WAITING || (this.isBehind && this.#waitingBytes + bytes > MOST_WAITING_BYTES)) {
      this.#onDropped();
      return 0;
    }
    if (!this.isBehind && this.#connections.size <= BETWEEN_LOOKS && !turn.isSpent) {
      return turn.run(() => this.#writeAll(message, except));
    }
    const delivery: Delivery = { message, except, targets: [...this.#connections], next: 0 };
    if (this.isBehind) return this.#wait(delivery, bytes);
    const written = turn.run(() => this.#write(delivery, turn));
    if (delivery.next === delivery.targets.length) return written;
    return written + this.#wait(delivery, bytes);
  }

  #wait(delivery: Delivery, bytes: number): number {
    this.#waiting.push(delivery);
    this.#waitingBytes += bytes;
    this.#schedule();
    let targets = 0;
    for (let at = delivery.next; at < delivery.targets.length; at++) {
      if (delivery.targets[at] !== delivery.except) targets += 1;
    }
    return targets;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#turn?.wait(() => this.#goOn());
  }

  #goOn(): void {
    this.#isScheduled = false;
    const turn = this.#turn;
    while (turn && this.#waiting[0] && !turn.isSpent) {
      const [delivery] = this.#waiting;
      this.#write(delivery, turn);
      if (delivery.next < delivery.targets.length) break;
      this.#waiting.shift();
    }
    if (this.isBehind) return this.#schedule();
    this.#waitingBytes = 0;
    const senders = this.#senders;
    this.#senders = new Set();
    for (const sender of senders) {
      try {
        sender.regulate();
      } catch (error) {
        sender.failed(toError(error));
      }
    }
  }

  /** Writes to at least a few connections, and to more while the budget lasts. */
  #write(delivery: Delivery, turn: TurnBudget): number {
    const { message, except, targets } = delivery;
    let written = 0;
    do {
      const end = Math.min(delivery.next + BETWEEN_LOOKS, targets.length);
      for (; delivery.next < end; delivery.next++) {
        const connection = targets[delivery.next];
        if (connection && connection !== except && tell(connection, message)) written += 1;
      }
      turn.look();
    } while (delivery.next < targets.length && !turn.isSpent);
    return written;
  }

  #writeAll(message: Message, except: object | undefined): number {
    let written = 0;
    for (const connection of this.#connections) {
      if (connection !== except && tell(connection, message)) written += 1;
    }
    return written;
  }
}

/** A link may throw, above all one of a third-party transport. Then only its own client misses the message. */
function tell(connection: Member, message: Message): boolean {
  try {
    return connection.sendMessage(message);
  } catch (error) {
    connection.failed(toError(error));
    return false;
  }
}
