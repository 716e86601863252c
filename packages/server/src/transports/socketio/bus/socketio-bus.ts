import type { OtherGateways, TellOthers } from '../../../core/broadcasts/other-gateways.js';
import { type BusMessage, decodeBusMessage, encodeBusMessage } from './bus-message.js';

/** Names the format of the messages. Gateways of releases with different formats ignore each other. */
const CHANNEL = 'socket.io/2';

/** A receiver of messages: the adapter of a namespace. */
export interface BusMember {
  hear(message: BusMessage): void;
}

/** Connects the namespaces of this gateway with those of the same name on other gateways. */
export class SocketIoBus {
  readonly #members = new Map<string, BusMember>();
  readonly #tellOthers: TellOthers | undefined;

  /** @param others undefined if the log has no channel to other gateways: then messages are dropped */
  constructor(others: OtherGateways | undefined) {
    this.#tellOthers = others?.open(CHANNEL, (text) => this.#hear(text));
  }

  join(namespace: string, member: BusMember): void {
    this.#members.set(namespace, member);
  }

  leave(namespace: string): void {
    this.#members.delete(namespace);
  }

  /** @throws RangeError if the message contains itself; TypeError if it cannot be represented as JSON */
  send(message: BusMessage): void {
    this.#tellOthers?.(encodeBusMessage(message));
  }

  #hear(text: string): void {
    // No namespace has joined, so Socket.IO may not even be loaded.
    if (this.#members.size === 0) return;
    const message = decodeBusMessage(text);
    this.#members.get(message.nsp)?.hear(message);
  }
}
