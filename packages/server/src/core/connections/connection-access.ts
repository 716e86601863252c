import { PregonError } from '@pregon/protocol';
import type { Identity } from '../ports/admission.js';
import type { Rights } from '../ports/rights.js';
import { assertAllowed } from '../topics/allowed-topics.js';
import { assertMaySend, type MessageUse } from './allowed-messages.js';

export interface AccessOptions {
  /** @default anonymous */
  readonly identity?: Identity | undefined;
  /** @default all rights */
  readonly rights?: Rights | undefined;
  /** When the rights end, by the gateway's clock, in milliseconds. @default never */
  readonly expiresAt?: number | undefined;
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
  /** Why the rights have ended; undefined while they hold. */
  readonly #endedBy: string | undefined;

  static of(options: AccessOptions): ConnectionAccess {
    const { identity, rights, expiresAt } = options;
    if (!identity && !rights && expiresAt === undefined) return ConnectionAccess.#unlimited;
    return new ConnectionAccess(options, undefined);
  }

  private constructor({ identity, rights, expiresAt }: AccessOptions, endedBy: string | undefined) {
    this.identity = identity;
    this.rights = rights;
    this.expiresAt = expiresAt;
    this.#endedBy = endedBy;
  }

  get hasEnded(): boolean {
    return this.#endedBy !== undefined;
  }

  /** The same identity, after its rights have ended. @param reason what the client is told: `the token has expired` */
  ended(reason: string): ConnectionAccess {
    return new ConnectionAccess(this, reason);
  }

  /** @throws PregonError FORBIDDEN if the rights have ended */
  assertHolds(): void {
    if (this.#endedBy !== undefined) throw new PregonError('FORBIDDEN', this.#endedBy);
  }

  /** @throws PregonError FORBIDDEN | TOPICS_TOO_COMPLEX */
  assertMaySubscribe(topics: readonly string[] | undefined): void {
    this.assertHolds();
    if (this.rights) assertAllowed(topics, this.rights);
  }

  /** @throws PregonError FORBIDDEN */
  assertMaySend(name: string | undefined, use: MessageUse): void {
    this.assertHolds();
    if (this.rights) assertMaySend(name, use, this.rights);
  }
}
