import { joinRevocations, parseRevocation, type Revocation, revocationKeysOf } from '@pregon/protocol';
import type { Identity } from '../../core/ports/admission.js';
import type { KeptState, KeptValue } from '../../core/ports/kept.js';

/** The effect of a kept value, after it was joined with the value that its key had before. */
export interface InForce {
  readonly revocation: Revocation;
  /** False if an earlier value of the key revokes more. */
  readonly isKept: boolean;
}

interface Entry {
  readonly revocation: Revocation;
  readonly expiresAt: number;
}

/**
 * Whether a revocation ends an identity. An identity whose time of issue is unknown counts as issued before it.
 */
export function ends(revocation: Revocation, { iss, sub, jti, issuedAtMs = 0 }: Identity): boolean {
  if (revocation.iss !== iss) return false;
  switch (revocation.kind) {
    case 'subject':
      return revocation.sub === sub && issuedAtMs <= revocation.atMs;
    case 'token':
      return revocation.jti === jti;
    case 'issuer':
      return issuedAtMs < revocation.beforeMs;
    case 'block':
      return revocation.sub === sub;
    case 'unblock':
      return false;
  }
}

/** The revocations that a log keeps, by their keys. */
export class RevokedSet {
  readonly #entries = new Map<string, Entry>();

  /** The number of revocations, those included that have expired since the set was last replaced. */
  get size(): number {
    return this.#entries.size;
  }

  /** @param nowMs milliseconds since 1970-01-01 UTC */
  has(identity: Identity, nowMs: number): boolean {
    if (this.#entries.size === 0) return false;
    return revocationKeysOf(identity).some((key) => {
      const entry = this.#entries.get(key);
      return entry !== undefined && entry.expiresAt > nowMs && ends(entry.revocation, identity);
    });
  }

  /**
   * @param kept undefined if the key was removed
   * @returns the revocation that is in force for the key; undefined if there is none
   * @throws TypeError | RangeError if the value is not a revocation; the set is then unchanged
   */
  set(key: string, kept: KeptValue | undefined): InForce | undefined {
    if (!kept) {
      this.#entries.delete(key);
      return undefined;
    }
    const former = this.#entries.get(key)?.revocation;
    const stored = parseRevocation(JSON.parse(kept.value));
    const revocation = former ? joinRevocations(former, stored) : stored;
    this.#entries.set(key, { revocation, expiresAt: kept.expiresAt ?? Number.POSITIVE_INFINITY });
    return { revocation, isKept: revocation === stored };
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Drops every revocation that a state does not have. */
  retain(state: KeptState): void {
    for (const key of this.#entries.keys()) if (!state.has(key)) this.#entries.delete(key);
  }
}
