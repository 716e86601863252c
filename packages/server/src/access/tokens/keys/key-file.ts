import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '@pregon/protocol';
import type { Algorithm } from './algorithms.js';
import { type KeyForm, keysInText } from './key-text.js';
import type { VerificationKey } from './verification-key.js';

/** The most bytes of a key file; keys are far smaller. */
const MOST_BYTES = 65_536;

/** One file with a key, and the keys that it had when it was last readable. */
export class KeyFile {
  readonly path: string;
  readonly #form: KeyForm;
  readonly #algorithms: ReadonlySet<Algorithm>;
  #keys: readonly VerificationKey[] = [];
  #digest: string | undefined;

  constructor(path: string, form: KeyForm, algorithms: ReadonlySet<Algorithm>) {
    this.path = path;
    this.#form = form;
    this.#algorithms = algorithms;
  }

  /** The last good keys. */
  get keys(): readonly VerificationKey[] {
    return this.#keys;
  }

  /**
   * Reads the file if its content has changed.
   *
   * @returns what is wrong, without anything of the content; undefined if it was read. Never rejects.
   */
  async read(): Promise<string | undefined> {
    try {
      const bytes = await readKeyFile(this.path);
      const digest = createHash('sha256').update(bytes).digest('base64');
      if (digest === this.#digest) return undefined;
      const text = this.#form === 'secret' ? withoutLineEnd(bytes) : bytes;
      this.#keys = await keysInText(this.#form, text, this.#algorithms);
      this.#digest = digest;
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** @throws TypeError | Error if the file cannot be read */
async function readKeyFile(path: string): Promise<Buffer> {
  const found = await stat(path);
  // A pipe or device could hold up the reader for ever.
  if (!found.isFile()) throw new TypeError('it is not a regular file');
  if (found.size > MOST_BYTES) throw new TypeError(`it has more than ${MOST_BYTES} bytes`);
  return readFile(path);
}

/** The secret in a file, without the line break at its end. @throws TypeError | Error if the file cannot be read */
export async function readSecret(path: string): Promise<Uint8Array> {
  return withoutLineEnd(await readKeyFile(path));
}

/** Editors and `echo` end a file with a line break, which is no part of the secret. */
function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  return bytes.subarray(0, end);
}
