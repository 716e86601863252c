/** A right to publish events over HTTP. All that it names must fit together. */
export interface PublishRight {
  /** The AMQP topic pattern that the topic of the event must match. */
  readonly pattern: string;
  /** The exchange of the event. @default every exchange */
  readonly exchange?: string;
  /** The `source` attribute of the event. @default every source */
  readonly source?: string;
}

/**
 * What a connection may do on one route. Rights are immutable. They name no token and no identity, so connections with equal rights can
 * share filters, chunks and snapshots.
 */
export interface Rights {
  /**
   * The AMQP topic patterns that the connection may read: an event is delivered only if at least one of them matches its topic. Sorted,
   * in canonical form, each once; `['#']` for all topics, and empty for none. Patterns within another one are left out if that is known
   * without cost. The list is frozen.
   */
  readonly subscribe: readonly string[];
  /** The names of the messages that the connection may send; `any` for all. */
  readonly send: ReadonlySet<string> | 'any';
  /** Whether the connection may send to a route that broadcasts what it receives. */
  readonly broadcast: boolean;
  /** What the connection may publish over HTTP. Sorted; empty for nothing. */
  readonly publish: readonly PublishRight[];
  /** Whether the limits per identity do not apply, because many connections of one service share an identity. */
  readonly isService: boolean;
  /** Equal for equal rights, whatever the token. At most 200 characters. */
  readonly key: string;
}
