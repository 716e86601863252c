import type { TokenRefusal } from '../token-refusal.js';
import type { Algorithm } from './algorithms.js';
import type { KeySet } from './key-set.js';
import type { VerificationKey } from './verification-key.js';

/** The keys to try for one token; none if the key is unknown. */
export type FoundKeys = readonly VerificationKey[] | TokenRefusal;

/** Where the keys of an issuer come from, and whether they are still the same. */
export interface KeySource {
  /**
   * The keys for a token with this algorithm and key name. A promise only if keys have to be fetched first; it never
   * rejects.
   */
  find(algorithm: Algorithm, kid: string | undefined): FoundKeys | Promise<FoundKeys>;
  /** Whether the key is still one of the issuer's. */
  holds(key: VerificationKey): boolean;
  /** Reads the keys again. Never rejects: what cannot be read is logged, and the last good keys stay. */
  reload(): Promise<void>;
  /** Ends timers and requests. */
  close(): void;
}

/** The part of a logger that tells of keys which cannot be read. */
export interface KeyLogger {
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

/** Keys written in the configuration; a key with another name than the token's is not tried. */
export function findConfigured(set: KeySet, algorithm: Algorithm, kid: string | undefined): readonly VerificationKey[] {
  if (kid === undefined) return set.suitable(algorithm);
  const named = set.named(algorithm, kid);
  return named.length > 0 ? named : set.nameless(algorithm);
}

/** The keys of an issuer that are part of the configuration, and never change. */
export class ConfiguredKeys implements KeySource {
  readonly #set: KeySet;

  constructor(set: KeySet) {
    this.#set = set;
  }

  find(algorithm: Algorithm, kid: string | undefined): readonly VerificationKey[] {
    return findConfigured(this.#set, algorithm, kid);
  }

  holds(key: VerificationKey): boolean {
    return this.#set.has(key);
  }

  async reload(): Promise<void> {}

  close(): void {}
}
