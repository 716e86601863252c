import type { OtherGateways, TellOthers } from '../../../core/broadcasts/other-gateways.js';
import { type BusMessage, decodeBusMessage, encodeBusMessage } from './bus-message.js';

/** Names the form of its messages: gateways of releases that have another form do not hear each other, and no more. */
const CHANNEL = 'socket.io/2';

/** What hears a bus: the adapter of a namespace. */
export interface BusMember {
  hear(message: BusMessage): void;
}

/** Between the namespaces of this gateway and those of the same name on the others. */
export class SocketIoBus {
  readonly #members = new Map<string, BusMember>();
  readonly #tellOthers: TellOthers | undefined;

  /** @param others absent where the log has no way to other gateways: then there is nobody to tell */
  constructor(others: OtherGateways | undefined) {
    this.#tellOthers = others?.open(CHANNEL, (text) => this.#hear(text));
  }

  join(namespace: string, member: BusMember): void {
    this.#members.set(namespace, member);
  }

  leave(namespace: string): void {
    this.#members.delete(namespace);
  }

  /** @throws RangeError if the message holds what holds itself; TypeError if JSON cannot hold it */
  send(message: BusMessage): void {
    this.#tellOthers?.(encodeBusMessage(message));
  }

  #hear(text: string): void {
    // Nobody is here yet, nor is Socket.IO loaded.
    if (this.#members.size === 0) return;
    const message = decodeBusMessage(text);
    this.#members.get(message.nsp)?.hear(message);
  }
}
