import { deserialize, serialize } from 'node:v8';
import type { ClusterMessage, ClusterResponse } from 'socket.io-adapter';
import type { OtherGateways, TellOthers } from '../../core/other-gateways.js';
import { sendable } from './sendable.js';

type BusMessage = ClusterMessage | ClusterResponse;

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
    this.#tellOthers = others?.open('socket.io', (text) => this.#hear(text));
  }

  join(namespace: string, member: BusMember): void {
    this.#members.set(namespace, member);
  }

  leave(namespace: string): void {
    this.#members.delete(namespace);
  }

  /** @throws RangeError where the message holds what holds itself */
  send(message: BusMessage): void {
    // Not JSON: what is emitted may hold bytes.
    this.#tellOthers?.(serialize(sendable(message)).toString('base64'));
  }

  #hear(text: string): void {
    const message: BusMessage = deserialize(Buffer.from(text, 'base64'));
    this.#members.get(message.nsp)?.hear(message);
  }
}
