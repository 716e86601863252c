/** A value of a claim that a condition can name. */
export type ClaimValue = string | number | boolean;

/**
 * One line of a route's `allow:`. It says what a client may do, and which clients: all conditions of a rule must hold. Rules only add
 * rights: what no rule grants is forbidden.
 *
 * `subscribe` and `publish` are AMQP topic patterns. A word of a pattern can be a variable: `{sub}`, `{iss}`, or the name of any claim,
 * with dots for nested ones (`{org.id}`). A client gets the pattern with the value of its own claim, encoded by `topicWord()` of
 * `@pregon/protocol`. A value must be a string or an integer. A client whose token lacks the claim gets nothing from the rule. A token
 * with another value there, for example an object, `*`, `#` or the empty string, is refused.
 *
 * @example
 * const allow: Rule[] = [
 *   { subscribe: 'public.#', who: 'anyone' },
 *   { subscribe: 'user.{sub}.#' },
 *   { subscribe: 'org.{org.id}.#', if: { role: ['admin', 'owner'] } },
 *   { send: 'bid' },
 * ];
 */
export interface Rule {
  /** The topics that the client may read. */
  readonly subscribe?: string;
  /** The name of a message that the client may send; `*` for all. */
  readonly send?: string;
  /**
   * The topics that the client may publish over the HTTP port of `pregon run`, whatever the route of the rule. Together with
   * `exchange`, if it is there.
   */
  readonly publish?: string;
  /** The exchange to which `publish` is limited. @default every exchange */
  readonly exchange?: string;
  /** The `source` of events to which `publish` is limited. @default every source */
  readonly source?: string;
  /** `anyone` also means clients without a token. @default 'authenticated' */
  readonly who?: 'anyone' | 'authenticated';
  /**
   * The rule is for identities of this issuer only. With several issuers, a rule that uses a claim must name one, because each issuer
   * gives its claims a meaning of its own. @default every issuer; the only issuer, if the rule uses a claim
   */
  readonly issuer?: string;
  /**
   * For each claim the value that it must have, or a list of which one is enough. A claim that is a list has the value if an element is
   * equal to it; the claim `scope` also if the value is one of its words (RFC 8693 section 4.2).
   */
  readonly if?: Readonly<Record<string, ClaimValue | readonly ClaimValue[]>>;
  /** Many connections of one service share an identity: the limit on connections per identity does not apply to it. */
  readonly kind?: 'service';
  /** The client may send to a route that broadcasts what it receives. */
  readonly broadcast?: true;
}
