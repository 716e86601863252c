import { PregonError } from '@pregon/protocol';
import { nearest } from '../config/nearest.js';
import { ConfigurationError } from '../config/problems.js';
import type { Settings } from '../settings.js';
import { type Command, UsageError } from './command.js';
import { commands } from './commands.js';
import { helpOf, overview, usageOf } from './help.js';
import { complain, watchOutput, write } from './output.js';
import { parseLine } from './parse.js';
import { readVersion } from './version.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Runs a command line, all that stands behind `pregon`. @returns the exit code */
export async function runProgram(line: readonly string[], settings: Settings): Promise<number> {
  watchOutput();
  const [first] = line;
  if (first === undefined || first === '--help' || first === '-h') return say(overview(commands));
  if (first === '--version' || first === '-V') return say(`${readVersion()}\n`);
  if (first === 'help') return help(line.slice(1));
  const command = findCommand(line);
  if (!command)
    return refuse(unknownCommand(line), 'pregon COMMAND [arguments] [flags]; pregon --help lists the commands');
  return runCommand(command, line.slice(command.name.split(' ').length), settings);
}

async function runCommand(command: Command, line: readonly string[], settings: Settings): Promise<number> {
  let debug = settings.debug || line.includes('--debug');
  try {
    const parsed = parseLine(command, line);
    if (parsed.flags.has('help')) return await say(helpOf(command));
    debug ||= parsed.flags.has('debug');
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

function findCommand(line: readonly string[]): Command | undefined {
  const named = (words: number) => commands.find(({ name }) => name === line.slice(0, words).join(' '));
  return named(2) ?? named(1);
}

function unknownCommand(line: readonly string[]): string {
  const [first = '', second] = line;
  const group = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
  if (group.length > 0) {
    const meant = nearest(`${first} ${second ?? ''}`, group);
    const given = second === undefined ? `"${first}" is not complete` : `unknown command "${first} ${second}"`;
    return `${given}; ${meant ? `did you mean "${meant}"?` : `there are ${group.join(', ')}`}`;
  }
  const meant = nearest(first, [...commands.map(({ name }) => name), 'help']);
  return `unknown command "${first}"${meant ? `; did you mean "${meant}"?` : ''}`;
}

async function help(words: readonly string[]): Promise<number> {
  if (words.length === 0) return say(overview(commands));
  const command = findCommand(words);
  if (command) return say(helpOf(command));
  const group = commands.filter(({ name }) => name.startsWith(`${words[0]} `));
  if (group.length > 0) return say(group.map(helpOf).join('\n'));
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

/** The mistakes of a configuration begin with their place, so that an editor can go there. */
function describe(error: unknown, debug: boolean): readonly string[] {
  if (debug && error instanceof Error) return [error.stack ?? error.message, ...causes(error)];
  if (error instanceof ConfigurationError) return error.lines;
  const message = error instanceof Error ? error.message : String(error);
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
