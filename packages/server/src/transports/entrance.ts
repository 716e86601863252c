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
