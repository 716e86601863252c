import { toError } from '@pregon/protocol';
import type { Member } from '../connections/member.js';
import type { TurnBudget } from '../incoming/turn-budget.js';
import type { Message } from './message.js';

/** How many connections are written to between two looks at the clock. */
const BETWEEN_LOOKS = 16;

/** The most messages, and the most bytes of them, that wait to be written to the connections of a route. */
const MOST_WAITING = 1_000;
const MOST_WAITING_BYTES = 8_388_608;

interface Delivery {
  readonly message: Message;
  readonly except: object | undefined;
  /** Those that were there when it was sent. */
  readonly targets: readonly Member[];
  next: number;
}

/**
 * Writes messages to the connections of a route, in order, within the time that a turn of the event loop has for what clients cause. A
 * message to ten thousand connections takes several turns, and messages that follow wait for it. What does not fit in the limits is
 * dropped: messages are ephemeral. Senders that are connections of this gateway are not read from while the route is behind, so only
 * other gateways and timers can fill it.
 */
export class FanOut {
  readonly #connections: ReadonlySet<Member>;
  readonly #turn: TurnBudget | undefined;
  readonly #waiting: Delivery[] = [];
  #waitingBytes = 0;
  readonly #onDropped: () => void;
  #isScheduled = false;
  /** Not read from until no message waits. */
  #senders = new Set<Member>();

  /**
   * @param turn undefined for no limit
   * @param onDropped is told of each message that is dropped for all that it was meant for
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

  /** Has the connection regulate its reading once more, in a later turn, when no message waits any more. */
  holdUntilDone(sender: Member): void {
    this.#senders.add(sender);
  }

  /**
   * Writes as much as the turn has time for, and the rest later.
   *
   * @param bytes about how large the message is
   * @returns how many connections it was written to, or will be
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

  /** Writes to so many as there is time for, at least to a few. */
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

/** A link that throws, as one of somebody else's transport may, costs its own client the message, and nobody else. */
function tell(connection: Member, message: Message): boolean {
  try {
    return connection.sendMessage(message);
  } catch (error) {
    connection.failed(toError(error));
    return false;
  }
}
