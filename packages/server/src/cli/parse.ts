import { parseArgs } from 'node:util';
import { nearest } from '../config/nearest.js';
import type { Command } from './command.js';
import type { FlagDescription } from './flags.js';
import { Flags } from './flags.js';
import { UsageError } from './usage-error.js';

/** Flags that every command takes. */
export const COMMON_FLAGS = {
  debug: { kind: 'switch', description: 'show errors with their stack, and log in detail' },
  help: { kind: 'switch', description: 'show how the command is used' },
} as const satisfies Record<string, FlagDescription>;

export interface ParsedLine {
  readonly flags: Flags;
  readonly arguments: ReadonlyMap<string, string>;
}

/**
 * Parses the arguments and flags after the name of a command.
 *
 * @throws UsageError
 */
export function parseLine(command: Command, line: readonly string[]): ParsedLine {
  const descriptions: Record<string, FlagDescription> = { ...command.flags, ...COMMON_FLAGS };
  const flags = new Flags(descriptions);
  const positionals: string[] = [];
  for (const token of tokenize(descriptions, line)) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind === 'option') flags.add(...readFlag(descriptions, token));
  }
  // With --help, required arguments may be missing.
  return { flags, arguments: flags.has('help') ? new Map() : nameArguments(command, positionals) };
}

function tokenize(descriptions: Readonly<Record<string, FlagDescription>>, line: readonly string[]) {
  const options = Object.entries(descriptions).map(([name, { kind }]) => [
    name,
    {
      type: kind === 'switch' ? ('boolean' as const) : ('string' as const),
      ...(name === 'help' ? { short: 'h' } : {}),
    },
  ]);
  return parseArgs({
    args: [...line],
    options: Object.fromEntries(options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function readFlag(
  descriptions: Readonly<Record<string, FlagDescription>>,
  token: OptionToken,
): [name: string, value: string] {
  const { name, rawName, value, inlineValue } = token;
  const description = Object.hasOwn(descriptions, name) ? descriptions[name] : undefined;
  if (!description) {
    const meant = rawName.startsWith('--') ? nearest(name, Object.keys(descriptions)) : undefined;
    throw new UsageError(`unknown flag "${rawName}"${meant ? `; did you mean "--${meant}"?` : ''}`);
  }
  if (description.kind === 'switch') {
    if (inlineValue) throw new UsageError(`--${name} takes no value`);
    return [name, ''];
  }
  if (value === undefined || (!inlineValue && value.length > 1 && value.startsWith('-'))) {
    throw new UsageError(`--${name} needs a value: --${name}=${description.value ?? 'VALUE'}`);
  }
  return [name, value];
}

function nameArguments(command: Command, positionals: readonly string[]): Map<string, string> {
  const named = new Map<string, string>();
  command.arguments.forEach(({ name, required }, index) => {
    const value = positionals[index];
    if (value !== undefined) named.set(name, value);
    else if (required) throw new UsageError(`${name} is missing`);
  });
  const extra = positionals[command.arguments.length];
  if (extra !== undefined) throw new UsageError(`"${extra}" is an extra argument: remove it`);
  return named;
}
