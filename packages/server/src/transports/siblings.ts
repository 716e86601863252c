import type { Entrance } from './entrance.js';

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
