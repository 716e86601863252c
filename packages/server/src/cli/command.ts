import type { Settings } from '../settings.js';
import type { Flags } from './flags.js';

export interface FlagDescription {
  readonly kind: 'text' | 'integer' | 'switch';
  /** What stands for the value in help texts: `URL`. Not for switches. */
  readonly value?: string;
  /** May be given more than once. */
  readonly repeats?: boolean;
  /** What to do instead, if the value is a secret that every local user sees among the arguments of the process. */
  readonly secret?: (value: string) => string | undefined;
  /** The only values taken. */
  readonly choices?: readonly string[];
  readonly description: string;
}

export interface ArgumentDescription {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
}

/** A command as a row of a table: parsing, help and errors are all made from it. */
export interface Command {
  /** One word, or two or three: `log info`. */
  readonly name: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** What help says below the summary. */
  readonly details?: readonly string[];
  readonly arguments: readonly ArgumentDescription[];
  readonly flags: Readonly<Record<string, FlagDescription>>;
  readonly examples: readonly string[];
  /** @returns the exit code */
  run(invocation: Invocation): Promise<number>;
}

export interface Invocation {
  readonly flags: Flags;
  /** Of those that the command describes, in their order. */
  argument(name: string): string | undefined;
  readonly settings: Settings;
  /** Whether errors are shown with their stack, and the log with its details. */
  readonly debug: boolean;
}

/** Misuse of the command line: shown with the usage of the command; the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
