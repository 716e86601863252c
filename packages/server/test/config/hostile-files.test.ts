import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PregonError } from '@pregon/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load-configuration.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pregon-config-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function refusal(): { code: string; message: string } {
  try {
    loadConfiguration({ file: undefined, cwd: folder, variables: {} });
  } catch (error) {
    if (error instanceof PregonError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('the file was accepted');
}

const BOMB = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe']) {
  BOMB.push(`${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}]`);
}

const FILES: readonly [name: string, content: string | Buffer, message: RegExp][] = [
  ['aliases of aliases', BOMB.join('\n'), /^pregon\.yml:1:1 .*aliases/],
  ['an alias of itself', 'a: &a [*a]', /^pregon\.yml:/],
  ['lists in lists', '['.repeat(100_000), /^(pregon\.yml:1:\d+ [^\n]+(\n|$)){1,20}$/],
  ['maps in maps', '{a: '.repeat(50_000), /^(pregon\.yml:1:\d+ [^\n]+(\n|$)){1,20}$/],
  // Whether this depth can be read depends on the free stack; the file is refused in either case.
  ['some closed lists in lists', '['.repeat(5_000) + ']'.repeat(5_000), /^pregon\.yml:1:\d+ [^\n]+$/],
  ['closed lists in lists', '['.repeat(50_000) + ']'.repeat(50_000), /^pregon\.yml:1:\d+ it is nested too deeply$/],
  ['more than 1 MiB', `# ${'x'.repeat(1_048_576)}`, /at most 1048576/],
  ['Latin-1', Buffer.from([0x23, 0xe9, 0x0a]), /it is not UTF-8/],
  ['UTF-16', Buffer.from('\ufefflog: x', 'utf16le'), /it is not UTF-8/],
  [
    '__proto__',
    'websocket: { routes: { __proto__: { path: /x } } }',
    /:1:24 websocket\.routes\.__proto__: is not a valid name/,
  ],
  ['__proto__ at the top', '__proto__: { log: x }', /:1:1 __proto__: /],
  ['a merge key', 'base: &b { log: x }\n<<: *b', /unknown key/],
  ['thousands of mistakes', Array.from({ length: 5_000 }, (_, n) => `k${n}: 1`).join('\n'), /^pregon\.yml:1:1 k0/],
];

describe('the configuration refuses', () => {
  it.each(FILES)('[fault B6] %s', (_, content, message) => {
    writeFileSync(join(folder, 'pregon.yml'), content);
    expect(refusal()).toEqual({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });
  });

  it('[fault B6] a folder', () => {
    mkdirSync(join(folder, 'pregon.yml'));
    expect(refusal()).toEqual({ code: 'CONFIG_INVALID', message: expect.stringMatching(/it is a folder/) });
  });

  it('[fault B6] a pipe without a writer', () => {
    execFileSync('mkfifo', [join(folder, 'pregon.yml')]);
    expect(refusal()).toEqual({ code: 'CONFIG_INVALID', message: expect.stringMatching(/it is a pipe or a device/) });
  });
});
