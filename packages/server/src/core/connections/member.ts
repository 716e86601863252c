import type { Message } from '../broadcasts/message.js';
import type { Link } from '../ports/link.js';
import type { Connection } from './connection.js';

/** A connection as its route sees it: it can be written to, and held back. */
export interface Member extends Connection {
  readonly link: Link;
  /** By the clock of the gateway, in whole milliseconds. */
  readonly openedAt: number;
  /** Something went wrong on the way to this client. */
  failed(error: Error): void;
  /** @returns false if it was not written, because the connection is full or closed */
  sendMessage(message: Message): boolean;
  /** Reads on from the client only as long as it takes what it is sent, and lets its sends be answered. */
  regulate(): void;
  /** Tells the client that the gateway goes away, and when to come back. */
  announceDraining(reconnectInMs: number): void;
}
