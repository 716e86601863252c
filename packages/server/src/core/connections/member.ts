import type { Message } from '../broadcasts/message.js';
import type { Link } from '../ports/link.js';
import type { Connection } from './connection.js';

/** A connection as its route sees it. */
export interface Member extends Connection {
  readonly link: Link;
  /** In whole milliseconds of the gateway's clock. */
  readonly openedAt: number;
  /** Reports an error of this connection to the route. */
  failed(error: Error): void;
  /** @returns false if the message was not written, because the connection is full or closed */
  sendMessage(message: Message): boolean;
  /** Applies backpressure: reads from the client only while it takes its data and few of its sends are unanswered. */
  regulate(): void;
  /** Tells the client that the gateway is shutting down, and when to reconnect. */
  announceDraining(reconnectInMs: number): void;
}
