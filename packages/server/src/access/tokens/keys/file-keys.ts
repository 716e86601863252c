import { PregonError } from '@pregon/protocol';
import type { Clock } from '../../../core/time/clock.js';
import type { Algorithm } from './algorithms.js';
import { KeyFile } from './key-file.js';
import { KeySet } from './key-set.js';
import { findConfigured, type KeyLogger, type KeySource } from './key-source.js';
import type { KeyForm } from './key-text.js';
import type { VerificationKey } from './verification-key.js';

/** How often the files are read again. */
const POLL_MS = 10_000;

export interface FileKeysOptions {
  readonly issuer: string;
  readonly form: KeyForm;
  readonly paths: readonly string[];
  readonly algorithms: ReadonlySet<Algorithm>;
  readonly clock: Clock;
  readonly logger: KeyLogger;
}

/**
 * The keys of an issuer that are in files, which are read again every 10 seconds. A file that cannot be read keeps its
 * last good key. Replace a file by renaming a new one over it: half of a secret may be a secret too.
 */
export class FileKeys implements KeySource {
  readonly #options: FileKeysOptions;
  readonly #files: readonly KeyFile[];
  readonly #problems = new Map<KeyFile, string>();
  #set = new KeySet([]);
  #reading: Promise<void> = Promise.resolve();
  #cancelPoll: (() => void) | undefined;
  #isClosed = false;

  /** @throws PregonError CONFIG_INVALID if one of the files has no usable key */
  static async open(options: FileKeysOptions): Promise<FileKeys> {
    const keys = new FileKeys(options);
    await keys.#read();
    for (const [{ path }, problem] of keys.#problems) {
      throw new PregonError('CONFIG_INVALID', `the key file ${path} of the issuer ${options.issuer}: ${problem}`);
    }
    keys.#poll();
    return keys;
  }

  private constructor(options: FileKeysOptions) {
    const { paths, form, algorithms } = options;
    this.#options = options;
    this.#files = paths.map((path) => new KeyFile(path, form, algorithms));
  }

  find(algorithm: Algorithm, kid: string | undefined): readonly VerificationKey[] {
    return findConfigured(this.#set, algorithm, kid);
  }

  holds(key: VerificationKey): boolean {
    return this.#set.has(key);
  }

  /** One after the other: the state that was read last is the newest one. */
  reload(): Promise<void> {
    this.#reading = this.#reading.then(async () => {
      const before = new Map(this.#problems);
      await this.#read();
      this.#tell(before);
    });
    return this.#reading;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelPoll?.();
  }

  #poll(): void {
    if (this.#isClosed) return;
    this.#cancelPoll = this.#options.clock.after(POLL_MS, () => {
      void this.reload().then(() => this.#poll());
    });
  }

  async #read(): Promise<void> {
    for (const file of this.#files) {
      const problem = await file.read();
      if (problem === undefined) this.#problems.delete(file);
      else this.#problems.set(file, problem);
    }
    const keys = this.#files.flatMap((file) => file.keys);
    // Cached tokens stay valid as long as their key does, so an equal key is the same object as before.
    this.#set = new KeySet(keys.map((key) => this.#set.byId.get(key.id) ?? key));
  }

  /** One line when the reading of a file begins to fail, or fails in another way; one when it is good again. */
  #tell(before: ReadonlyMap<KeyFile, string>): void {
    const { issuer, logger } = this.#options;
    for (const file of this.#files) {
      const [was, is] = [before.get(file), this.#problems.get(file)];
      if (was === is) continue;
      const fields = { issuer, file: file.path };
      if (is === undefined) logger.info(fields, 'the key file can be read again');
      else logger.warn({ ...fields, problem: is }, 'the key file cannot be used; its last good key stays in use');
    }
  }
}
