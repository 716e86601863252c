import type { Settings } from '../settings.js';
import type { FlagDescription, Flags } from './flags.js';

export interface ArgumentDescription {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
}

/** A command as data: parsing, help and usage errors are all derived from it. */
export interface Command {
  /** One to three words: `log info`. */
  readonly name: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** The lines that help shows below the summary. */
  readonly details?: readonly string[];
  readonly arguments: readonly ArgumentDescription[];
  readonly flags: Readonly<Record<string, FlagDescription>>;
  readonly examples: readonly string[];
  /** @returns the exit code */
  run(invocation: Invocation): Promise<number>;
}

export interface Invocation {
  readonly flags: Flags;
  /** The value of an argument that the command describes; undefined if it was not given. */
  argument(name: string): string | undefined;
  readonly settings: Settings;
  /** Whether errors show their stack, and log lines their details. */
  readonly debug: boolean;
}
