import type { Command } from './command.js';
import type { FlagDescription } from './flags.js';
import { COMMON_FLAGS } from './parse.js';

/** The width of help texts. */
const COLUMNS = 100;

/** `pregon publish EXCHANGE TOPIC [DATA] [flags]` */
export function usageOf(command: Command): string {
  const words = command.arguments.map(({ name, required }) => (required || name.startsWith('[') ? name : `[${name}]`));
  return ['pregon', command.name, ...words, '[flags]'].join(' ');
}

export function helpOf(command: Command): string {
  const sections = [`${command.summary}.`, `Usage: ${usageOf(command)}`];
  if (command.details) sections.push(command.details.join('\n'));
  if (command.arguments.length > 0) {
    sections.push(
      table(
        'Arguments',
        command.arguments.map(({ name, description }) => [name, description]),
      ),
    );
  }
  sections.push(table('Flags', Object.entries({ ...command.flags, ...COMMON_FLAGS }).map(describeFlag)));
  if (command.examples.length > 0)
    sections.push(['Examples:', ...command.examples.map((line) => `  ${line}`)].join('\n'));
  return `${sections.join('\n\n')}\n`;
}

export function overview(commands: readonly Command[]): string {
  return `${[
    'Tells every browser what happened in your back end: in order, with nothing missed.',
    'Usage: pregon COMMAND [arguments] [flags]',
    table('Commands', [
      ...commands.map(({ name, summary }): [string, string] => [name, lowerFirst(summary)]),
      ['help [COMMAND]', 'show this, or how one command is used'],
    ]),
    table('Flags', [
      ['--help', 'show this'],
      ['--version', 'show the version'],
    ]),
  ].join('\n\n')}\n`;
}

function describeFlag([name, flag]: [string, FlagDescription]): [string, string] {
  const value = flag.choices?.join('|') ?? flag.value;
  const repeats = flag.repeats ? ' (repeats)' : '';
  return [`--${name}${flag.kind === 'switch' ? '' : `=${value ?? 'N'}`}`, flag.description + repeats];
}

function table(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.flatMap(([left, right]) =>
    wrap(right, COLUMNS - width - 4).map((text, index) => `  ${(index === 0 ? left : '').padEnd(width)}  ${text}`),
  );
  return [`${title}:`, ...lines].join('\n');
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
