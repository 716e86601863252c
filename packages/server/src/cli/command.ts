import type { Settings } from '../settings.js';
import type { FlagDescription, Flags } from './flags.js';

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
