import { PregonError } from '@pregon/protocol';
import { readSecret } from '../../access/tokens/keys/key-file.js';
import { signHs256 } from '../../access/tokens/sign-token.js';
import type { IdentitySnapshotRequest } from '../../core/snapshots/snapshot.js';

/** How long a token is valid, in seconds. It is signed for one request. */
const LIFETIME_S = 30;

/** RFC 7518 section 3.2. */
const LEAST_SECRET_BYTES = 32;

/** The longest token. Node.js reads at most 16 KiB of headers, and so do many proxies at most. */
const MOST_CHARACTERS = 12_288;

export interface SnapshotSecretOptions {
  readonly snapshotSecret?: string | Uint8Array | undefined;
  readonly snapshotSecretFile?: string | undefined;
}

/**
 * Signs the tokens by which an application knows that a request for a snapshot comes from the gateway, and for whom it
 * is (HS256, RFC 7515). A file is read for each token, so a new secret is in use as soon as it is there.
 */
export class SnapshotTokens {
  readonly #secret: () => Promise<Uint8Array>;

  /**
   * @returns undefined if there is no secret
   * @throws TypeError | RangeError if the secret cannot be used
   * @throws PregonError CONFIG_INVALID if the file cannot be used
   */
  static async open({
    snapshotSecret,
    snapshotSecretFile,
  }: SnapshotSecretOptions): Promise<SnapshotTokens | undefined> {
    if (snapshotSecret !== undefined && snapshotSecretFile !== undefined) {
      throw new TypeError('snapshotSecret and snapshotSecretFile exclude each other: give one of them');
    }
    if (snapshotSecretFile !== undefined) return SnapshotTokens.#ofFile(snapshotSecretFile);
    if (snapshotSecret === undefined) return undefined;
    const secret = typeof snapshotSecret === 'string' ? Buffer.from(snapshotSecret) : Uint8Array.from(snapshotSecret);
    assertLength(secret, 'snapshotSecret');
    return new SnapshotTokens(async () => secret);
  }

  static async #ofFile(path: string): Promise<SnapshotTokens> {
    const read = async () => {
      const secret = await readSecret(path);
      assertLength(secret, `the file ${path}`);
      return secret;
    };
    await read().catch((cause: unknown) => {
      const why = cause instanceof RangeError ? cause.message : `the file ${path} cannot be read`;
      throw new PregonError('CONFIG_INVALID', `snapshotSecretFile: ${why}`, { cause });
    });
    return new SnapshotTokens(read);
  }

  private constructor(secret: () => Promise<Uint8Array>) {
    this.#secret = secret;
  }

  /**
   * @param audience the URL that the token is for, without its query
   * @throws Error if the secret cannot be read now, or the token would be too long for a header
   */
  async sign(audience: string, { topics, identity }: IdentitySnapshotRequest): Promise<string> {
    const iat = Math.floor(Date.now() / 1_000);
    // The identity is a claim of its own: at the top level, the claims of a user could pretend to be those of the gateway.
    const claims = { iss: 'pregon', aud: audience, iat, exp: iat + LIFETIME_S, topics, identity };
    const token = signHs256(claims, await this.#secret());
    if (token.length <= MOST_CHARACTERS) return token;
    throw new RangeError(
      `the token for the snapshot would have ${token.length} characters, and a header has room for ${MOST_CHARACTERS}: use fewer rules, or smaller claims`,
    );
  }
}

function assertLength({ length }: Uint8Array, what: string): void {
  if (length >= LEAST_SECRET_BYTES) return;
  throw new RangeError(
    `${what} has ${length} bytes, and needs at least ${LEAST_SECRET_BYTES}: openssl rand -base64 32`,
  );
}
