import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Claim } from './http/claim.js';

/** A part of the gateway that serves paths of its own on a shared port. */
export interface Entrance {
  /** The paths that it owns. */
  readonly claims: readonly Claim[];
  /** Whether it owns this request target. */
  knows(target: string | undefined): boolean;
  /** Whether the request comes from a client that is not connected yet. */
  arrives(request: IncomingMessage): boolean;
  /** Handles a `request` event. */
  request(request: IncomingMessage, response: ServerResponse): void;
  /** Handles an `upgrade` event. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void;
  /** Ends all remaining connections at once, without a close frame. */
  destroy(): void;
}

/**
 * The other processes that serve the same port. A request can reach any of them, but a long-polling session lives in
 * one process, which its session id names. A request for a session of another process is passed on to it.
 */
export interface Siblings {
  /** Returns the id of a new session in this process; the id cannot be guessed. */
  newSessionId(): string;
  /** Returns an entrance that passes requests for sessions of other processes on, and all other requests to `own`. */
  share(own: Entrance): Entrance;
}
