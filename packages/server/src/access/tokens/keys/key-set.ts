import type { Algorithm } from './algorithms.js';
import type { VerificationKey } from './verification-key.js';

/**
 * The most keys that are tried for a token that names none. Each costs a signature check, and a token without a valid
 * signature costs them all.
 */
const MOST_TRIED = 8;

const NONE: readonly VerificationKey[] = Object.freeze([]);

/** The keys of an issuer at one moment. It does not change. */
export class KeySet {
  /** In the order of preference, by id. */
  readonly byId: ReadonlyMap<string, VerificationKey>;
  readonly #keys: ReadonlySet<VerificationKey>;
  readonly #byName = new Map<string, VerificationKey[]>();
  readonly #byAlgorithm = new Map<Algorithm, VerificationKey[]>();

  constructor(keys: readonly VerificationKey[]) {
    this.byId = new Map(keys.map((key) => [key.id, key]));
    this.#keys = new Set(this.byId.values());
    for (const key of this.#keys) {
      add(this.#byAlgorithm, key.algorithm, key);
      if (key.kid !== undefined) add(this.#byName, nameOf(key.algorithm, key.kid), key);
    }
  }

  get size(): number {
    return this.#keys.size;
  }

  /** False once the key was replaced: what it proved is proven no longer. */
  has(key: VerificationKey): boolean {
    return this.#keys.has(key);
  }

  /** The keys with this name, for this algorithm. The name is looked up, and used for nothing else. */
  named(algorithm: Algorithm, kid: string): readonly VerificationKey[] {
    return this.#byName.get(nameOf(algorithm, kid)) ?? NONE;
  }

  /** The keys to try for a token that does not name its key. */
  suitable(algorithm: Algorithm): readonly VerificationKey[] {
    return this.#byAlgorithm.get(algorithm) ?? NONE;
  }

  /** The keys to try whose own name is unknown, such as secrets and keys in PEM form. */
  nameless(algorithm: Algorithm): readonly VerificationKey[] {
    return this.suitable(algorithm).filter(({ kid }) => kid === undefined);
  }
}

function add<Name>(map: Map<Name, VerificationKey[]>, name: Name, key: VerificationKey): void {
  const keys = map.get(name);
  if (!keys) map.set(name, [key]);
  else if (keys.length < MOST_TRIED) keys.push(key);
}

function nameOf(algorithm: Algorithm, kid: string): string {
  return `${algorithm} ${kid}`;
}
