import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/cli/command.js';
import { readLines } from '../../src/cli/commands/lines.js';
import { commands, loadAll } from '../../src/cli/commands.js';
import { helpOf, overview } from '../../src/cli/help.js';
import { parseLine } from '../../src/cli/parse.js';
import { baseUrl, parseListenAddress } from '../../src/cli/run/listen-address.js';
import { UsageError } from '../../src/cli/usage-error.js';

const command: Command = {
  name: 'try',
  summary: 'Try',
  arguments: [
    { name: 'ONE', required: true, description: 'the first' },
    { name: 'TWO', required: false, description: 'the second' },
  ],
  flags: {
    name: { kind: 'text', value: 'NAME', description: 'a name' },
    many: { kind: 'text', value: 'NAME', repeats: true, description: 'names' },
    count: { kind: 'integer', value: 'N', description: 'a number' },
    loud: { kind: 'switch', description: 'a switch' },
    format: { kind: 'text', choices: ['a', 'b'], description: 'one of two' },
  },
  examples: [],
  run: () => Promise.resolve(0),
};

describe('parseLine', () => {
  it('reads flags with "=" and without, each value of a repeated flag once, and arguments in order', () => {
    const line = ['x', '--name=n', '--many', 'a', '--many=b', '--many=a', '--loud', '--count', '3', 'y'];
    const { flags, arguments: given } = parseLine(command, line);
    expect([flags.text('name'), flags.list('many'), flags.integer('count')]).toEqual(['n', ['a', 'b'], 3]);
    expect([flags.has('loud'), flags.has('format'), flags.text('format')]).toEqual([true, false, undefined]);
    expect([...given]).toEqual([
      ['ONE', 'x'],
      ['TWO', 'y'],
    ]);
  });

  it('accepts "-" as an argument, a value with a dash after "=", and anything after "--"', () => {
    const { flags, arguments: given } = parseLine(command, ['-', '--name=-x', '--', '--loud']);
    expect(flags.text('name')).toBe('-x');
    expect([...given.values()]).toEqual(['-', '--loud']);
    expect(flags.has('loud')).toBe(false);
  });

  it.each([
    [['x', '--nmae=n'], 'unknown flag "--nmae"; did you mean "--name"?'],
    [['x', '--colour'], 'unknown flag "--colour"'],
    [['x', '-z'], 'unknown flag "-z"'],
    [['x', '--toString=1'], 'unknown flag "--toString"'],
    [['x', '--name'], '--name needs a value: --name=NAME'],
    [['x', '--name', '--loud'], '--name needs a value: --name=NAME'],
    [['x', '--name='], '--name must not be empty'],
    [['x', '--name=a', '--name=b'], '--name may be given only once'],
    [['x', '--loud=yes'], '--loud takes no value'],
    [['x', '--count=2.5'], '--count must be a whole number, not "2.5"'],
    [['x', '--count=-1'], '--count must be a whole number, not "-1"'],
    [['x', '--format=c'], '--format must be a or b, not "c"'],
    [[], 'ONE is missing'],
    [['x', 'y', 'z'], '"z" is an extra argument: remove it'],
  ])('refuses %j', (line, message) => {
    expect(() => parseLine(command, line)).toThrow(new UsageError(message));
  });

  it('does not require arguments if help is requested', () => {
    expect(parseLine(command, ['--help']).flags.has('help')).toBe(true);
    expect(parseLine(command, ['-h']).flags.has('help')).toBe(true);
  });
});

describe('help', () => {
  it.each(commands)('of $name describes every flag and argument', async ({ name: entry, load }) => {
    const one = await load();
    expect(one.name).toBe(entry);
    const text = helpOf(one);
    for (const name of [...Object.keys(one.flags), 'debug', 'help']) expect(text).toMatch(new RegExp(`--${name}.+`));
    for (const { name } of one.arguments) expect(text).toContain(name);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });

  it('lists all commands', async () => {
    const text = overview(await loadAll(commands));
    for (const { name } of commands) expect(text).toContain(`\n  ${name} `);
  });
});

describe('parseListenAddress', () => {
  it.each([
    [undefined, '127.0.0.1', 1_234],
    ['80', '127.0.0.1', 80],
    ['0', '127.0.0.1', 0],
    ['0.0.0.0:1234', '0.0.0.0', 1_234],
    ['localhost:65535', 'localhost', 65_535],
    ['[::1]:1234', '::1', 1_234],
  ])('reads %s', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port });
  });

  it.each(['', 'localhost', ':1234', '::1:1234', '[x]:1', '1.2.3.4:65536', '12 34', 'http://localhost:1234', '-1'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseListenAddress(text)).toThrow(UsageError);
    },
  );

  it('names the address by which clients on this machine reach it', () => {
    expect(baseUrl('ws', { host: '0.0.0.0', port: 1 })).toBe('ws://localhost:1');
    expect(baseUrl('ws', { host: '::', port: 1 })).toBe('ws://localhost:1');
    expect(baseUrl('wss', { host: '::1', port: 1 })).toBe('wss://[::1]:1');
    expect(baseUrl('ws', { host: '127.0.0.1', port: 1 })).toBe('ws://127.0.0.1:1');
  });
});

describe('readLines', () => {
  async function linesOf(...chunks: (string | Uint8Array)[]): Promise<string[][]> {
    async function* input() {
      yield* chunks;
    }
    const groups: string[][] = [];
    for await (const group of readLines(input())) groups.push(group);
    return groups;
  }

  it('returns the lines of one chunk together, and joins a line that arrives in parts', async () => {
    expect(await linesOf('a\nb\nc', 'd\n', 'e')).toEqual([['a', 'b'], ['cd'], ['e']]);
  });

  it('ends lines only at \\n and \\r\\n, since JSON may contain U+2028', async () => {
    expect(await linesOf('"a\u2028b"\r\n"c\rd"\n')).toEqual([['"a\u2028b"', '"c\rd"']]);
  });

  it('joins characters that are split between chunks', async () => {
    const bytes = new TextEncoder().encode('"€"\n');
    expect(await linesOf(bytes.subarray(0, 2), bytes.subarray(2))).toEqual([['"€"']]);
  });

  it('[fault C8] refuses a line that is not UTF-8, names its number, and returns the lines before it', async () => {
    const bad = Uint8Array.of(0x22, 0xe9, 0x22, 0x0a);
    const chunks = [
      ['a\nb\n', bad, 'c\n'],
      ['a\n', Buffer.concat([Buffer.from('b\n'), bad, Buffer.from('c\n')])],
    ];
    for (const [first = '', ...others] of chunks) {
      const groups: string[][] = [];
      async function* input() {
        yield first;
        yield* others;
      }
      const reading = (async () => {
        for await (const group of readLines(input())) groups.push(group);
      })();
      await expect(reading).rejects.toMatchObject({ code: 'EVENT_INVALID', message: 'line 3 is not UTF-8' });
      expect(groups.flat()).toEqual(['a', 'b']);
    }
    await expect(linesOf('a\n', bad.subarray(0, 2))).rejects.toThrow('line 2 is not UTF-8');
  });

  it('returns nothing for an empty input', async () => {
    expect(await linesOf()).toEqual([]);
    expect(await linesOf('\n')).toEqual([['']]);
  });
});
