/** The limits on the clients of one address, and of one identity. */
export interface ClientLimitOptions {
  /**
   * How many connections one address may have. Further ones are refused with 429. For IPv6, an address means the /64
   * network that it belongs to. 0 means no limit.
   * @default 2000
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * How many new connections, streams and tickets one address may ask for; more are refused with 429. 0 means no limit.
   * @default 100
   */
  readonly maxHandshakesPerSecond?: number;
  /** How many new connections an address that was quiet before may ask for at once. @default 1000 */
  readonly handshakeBurst?: number;
  /**
   * How many tokens of one address may be refused in a minute. After that, its tokens are refused with 429 before they
   * are verified, except those that were verified before, three others a second, and those that renew an open
   * connection. A missing or an expired token does not count. 0 means no limit.
   * @default 30
   */
  readonly maxFailedAuthenticationsPerMinute?: number;
  /**
   * How many clients of one address may wait for the decision of an admission, or have connected by `pregon.v1` without
   * showing their token yet; more are refused with 429. 0 means no limit.
   * @default 20
   */
  readonly maxPendingPerAddress?: number;
  /** How many clients of all addresses may wait for the decision of an admission; more are refused with 503. @default 1000 */
  readonly maxPending?: number;
  /**
   * How many connections one identity (`iss` and `sub`) may have, at all addresses; further ones are refused with 429. A
   * rule with `kind: 'service'` lifts the limit for the identities that it applies to. 0 means no limit.
   * @default 100
   */
  readonly maxConnectionsPerIdentity?: number;
}
