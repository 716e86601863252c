import { PregonError } from '@pregon/protocol';
import type { Identity } from '../../ports/admission.js';
import type { Rights } from '../../ports/rights.js';
import { assertAllowed } from '../../topics/allowed-topics.js';
import type { SearchBudget } from '../../topics/search-budget.js';
import { assertMaySend, type MessageUse } from './allowed-messages.js';

export interface AccessOptions {
  /** @default anonymous */
  readonly identity?: Identity | undefined;
  /** @default all rights */
  readonly rights?: Rights | undefined;
  /** When the rights end, by the gateway's clock, in milliseconds. @default never */
  readonly expiresAt?: number | undefined;
  /** When the client is told that its identity expires, by the same clock. @default it is not told */
  readonly warnsAt?: number | undefined;
}

/**
 * Who a connection is, what it may do on its route, and until when. Immutable, so that a connection has either all of
 * its former rights or all of its new ones.
 */
export class ConnectionAccess {
  /** Of all connections that nothing limits: an object for each would cost memory. */
  static readonly #unlimited = new ConnectionAccess({}, undefined);

  readonly identity: Identity | undefined;
  readonly rights: Rights | undefined;
  readonly expiresAt: number | undefined;
  readonly warnsAt: number | undefined;
  /** Why the rights have ended; undefined while they hold. */
  readonly #endedBy: string | undefined;

  static of(options: AccessOptions): ConnectionAccess {
    const { identity, rights, expiresAt } = options;
    if (!identity && !rights && expiresAt === undefined) return ConnectionAccess.#unlimited;
    return new ConnectionAccess(options, undefined);
  }

  private constructor({ identity, rights, expiresAt, warnsAt }: AccessOptions, endedBy: string | undefined) {
    this.identity = identity;
    this.rights = rights;
    this.expiresAt = expiresAt;
    this.warnsAt = warnsAt;
    this.#endedBy = endedBy;
  }

  get hasEnded(): boolean {
    return this.#endedBy !== undefined;
  }

  /** The same identity, after its rights have ended. @param reason what the client is told: `the token has expired` */
  ended(reason: string): ConnectionAccess {
    return new ConnectionAccess(this, reason);
  }

  /** Whether it belongs to the same subject of the same issuer, or both are anonymous. */
  isSameIdentity({ identity }: ConnectionAccess): boolean {
    return identity?.iss === this.identity?.iss && identity?.sub === this.identity?.sub;
  }

  /** Whether it may read exactly the same topics. */
  readsTheSame(other: ConnectionAccess): boolean {
    return this.readsAllOf(other) && other.readsAllOf(this);
  }

  /** Whether it may read all topics that the other may read. False if that takes more than a look at the patterns. */
  readsAllOf(other: ConnectionAccess): boolean {
    const mine = this.rights?.subscribe;
    if (!mine || mine.includes('#')) return true;
    return other.rights?.subscribe.every((pattern) => mine.includes(pattern)) ?? false;
  }

  /** @throws PregonError FORBIDDEN if the rights have ended */
  assertHolds(): void {
    if (this.#endedBy !== undefined) throw new PregonError('FORBIDDEN', this.#endedBy);
  }

  /** @throws PregonError FORBIDDEN | TOPICS_TOO_COMPLEX */
  assertMaySubscribe(topics: readonly string[] | undefined, budget?: SearchBudget): void {
    this.assertHolds();
    if (this.rights) assertAllowed(topics, this.rights, budget);
  }

  /** @throws PregonError FORBIDDEN */
  assertMaySend(name: string | undefined, use: MessageUse): void {
    this.assertHolds();
    if (this.rights) assertMaySend(name, use, this.rights);
  }
}
