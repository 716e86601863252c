import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Claim } from './http/claim.js';

/** One of the ways in that share the port of a gateway: each has paths of its own. */
export interface Entrance {
  /** The paths that are its own. */
  readonly claims: readonly Claim[];
  /** Whether this request target is one of its own. */
  knows(target: string | undefined): boolean;
  /** Whether who asks is to be let in by it, and not somebody who is inside already. */
  arrives(request: IncomingMessage): boolean;
  /** Takes the arguments of a `request` event. */
  request(request: IncomingMessage, response: ServerResponse): void;
  /** Takes the arguments of an `upgrade` event. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void;
  /** Ends all that is left without a word. */
  destroy(): void;
}

/**
 * The other processes that serve the same port. A request comes to any of them, but a session of long polling lives in one: its id
 * tells in which, and a request that belongs to another's session is handed over to it.
 */
export interface Siblings {
  /** Of a new session in this process; it cannot be guessed. */
  newSessionId(): string;
  /** An entrance that hands over what is another's, and leaves all else to `own`. */
  share(own: Entrance): Entrance;
}
