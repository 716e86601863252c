import type { Identity } from '../ports/admission.js';

/** A subscription about which the application is asked. */
export interface AuthorizeRequest {
  /** Undefined for an anonymous client. */
  readonly identity: Identity | undefined;
  /** The name of the route. */
  readonly route: string;
  /**
   * The topic patterns that the client asked for; they lie within its rules. If it asked for all, or for a snapshot,
   * which has the rows of all: what its rules allow, or `['#']` if there are none.
   */
  readonly topics: readonly string[];
}

/**
 * Decides what rules cannot say: whether a client may subscribe to topics that its rules allow. Only `true` admits it.
 *
 * It answers at once, from memory. A promise is refused: a client sends more requests before an answer is there, and
 * each of them depends on the earlier ones; and the rights of a connection change at one point in the log.
 *
 * @example
 * authorize: ({ identity, topics }) => topics.every((topic) => documentsOf(identity?.sub).has(topic.split('.')[1])),
 */
export type Authorize = (request: AuthorizeRequest) => boolean;
