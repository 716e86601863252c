import { messageOf, PregonError } from '@pregon/protocol';
import { nearest } from '../config/nearest.js';
import { ConfigurationError } from '../config/problems.js';
import type { Settings } from '../settings.js';
import type { Command } from './command.js';
import { type CommandEntry, commands, loadAll } from './commands.js';
import { helpOf, overview, usageOf } from './help.js';
import { parseLine } from './parse.js';
import { complain, outputFailure, watchOutput, write } from './terminal/output.js';
import { UsageError } from './usage-error.js';
import { readVersion } from './version.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/**
 * Runs a command line.
 *
 * @param line the arguments after `pregon`
 * @returns the exit code
 */
export async function runProgram(line: readonly string[], settings: Settings): Promise<number> {
  watchOutput();
  const code = await dispatch(line, settings);
  const lost = outputFailure();
  if (lost === undefined) return code;
  complain(`pregon: ${lost}`);
  return code || EXIT_FAILED;
}

async function dispatch(line: readonly string[], settings: Settings): Promise<number> {
  const [first] = line;
  if (first === undefined || first === '--help' || first === '-h') return say(overview(await loadAll(commands)));
  if (first === '--version' || first === '-V') return say(`${readVersion()}\n`);
  if (first === 'help') return help(line.slice(1));
  const command = findCommand(line);
  if (!command)
    return refuse(unknownCommand(line), 'pregon COMMAND [arguments] [flags]; pregon --help lists the commands');
  return runCommand(await command.load(), line.slice(command.name.split(' ').length), settings);
}

async function runCommand(command: Command, line: readonly string[], settings: Settings): Promise<number> {
  let debug = settings.debug || line.includes('--debug');
  try {
    const parsed = parseLine(command, line);
    if (parsed.flags.has('help')) return await say(helpOf(command));
    debug ||= parsed.flags.has('debug');
    if (!settings.worker) for (const advice of parsed.flags.secrets()) complain(`pregon: ${advice}`);
    return await command.run({
      flags: parsed.flags,
      argument: (name) => parsed.arguments.get(name),
      settings,
      debug,
    });
  } catch (error) {
    if (error instanceof UsageError) return refuse(error.message, usageOf(command));
    for (const text of describe(error, debug)) complain(text);
    return EXIT_FAILED;
  }
}

function findCommand(line: readonly string[]): CommandEntry | undefined {
  const named = (words: number) => commands.find(({ name }) => name === line.slice(0, words).join(' '));
  return named(3) ?? named(2) ?? named(1);
}

function unknownCommand(line: readonly string[]): string {
  const [first = ''] = line;
  const begun = longestBegun(line);
  if (begun.length > 0) {
    const group = namesUnder(begun);
    const given = line.slice(0, begun.length + 1);
    const meant = nearest(`${given.join(' ')}${given.length === begun.length ? ' ' : ''}`, group);
    const what =
      given.length === begun.length ? `"${begun.join(' ')}" is not complete` : `unknown command "${given.join(' ')}"`;
    return `${what}; ${meant ? `did you mean "${meant}"?` : `the commands are ${group.join(', ')}`}`;
  }
  const meant = nearest(first, [...commands.map(({ name }) => name), 'help']);
  return `unknown command "${first}"${meant ? `; did you mean "${meant}"?` : ''}`;
}

/** The first one or two words of a line, if they are the start of a longer command name. */
function longestBegun(line: readonly string[]): readonly string[] {
  for (let words = Math.min(2, line.length); words > 0; words--) {
    if (namesUnder(line.slice(0, words)).length > 0) return line.slice(0, words);
  }
  return [];
}

function namesUnder(words: readonly string[]): string[] {
  return commands.map(({ name }) => name).filter((name) => name.startsWith(`${words.join(' ')} `));
}

async function help(words: readonly string[]): Promise<number> {
  if (words.length === 0) return say(overview(await loadAll(commands)));
  const command = findCommand(words);
  if (command) return say(helpOf(await command.load()));
  const names = namesUnder(words);
  const group = commands.filter(({ name }) => names.includes(name));
  if (group.length > 0) return say((await loadAll(group)).map(helpOf).join('\n'));
  return refuse(unknownCommand(words), 'pregon help [COMMAND]; pregon --help lists the commands');
}

async function say(text: string): Promise<number> {
  await write(text);
  return 0;
}

function refuse(message: string, usage: string): number {
  complain(`pregon: ${message}`);
  complain(`Usage: ${usage}`);
  return EXIT_USAGE;
}

/** The lines of a configuration error start with file and position, so that an editor can jump there. */
function describe(error: unknown, debug: boolean): readonly string[] {
  if (debug && error instanceof Error) return [error.stack ?? error.message, ...causes(error)];
  if (error instanceof ConfigurationError) return error.lines;
  const message = messageOf(error);
  const code = error instanceof PregonError ? ` (${error.code})` : '';
  return [`pregon: ${message.replace(/\s*\n\s*/g, ' ')}${code}`];
}

function causes(error: Error): string[] {
  const texts: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    texts.push(`caused by: ${cause.stack ?? cause.message}`);
  }
  return texts;
}
