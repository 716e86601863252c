import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { codeBlocks } from './code-blocks.js';

const run = promisify(execFile);

/** The lines that the README of an example tells the reader to type, in order, without the explanations. */
export function linesToType(folder: string): string[] {
  const markdown = readFileSync(join(folder, 'README.md'), 'utf8');
  return codeBlocks(markdown)
    .flatMap(({ text }) =>
      text
        .trim()
        .replaceAll(/ *\\\n */g, ' ')
        .split('\n'),
    )
    .map((line) => line.replace(/ +# .*$/, ''));
}

/** The arguments of `node` with which the README of an example starts it, after the build that it asks for. */
export function startedByReadme(folder: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  expect(linesToType(folder).slice(0, 2), folder).toEqual(['npm ci && npm run build', 'npm start']);
  expect(scripts.prestart).toBe('node ../built.mjs');
  const [program, ...args] = String(scripts.start).split(' ');
  expect(program).toBe('node');
  return args;
}

/**
 * Types a line into a shell, with another port than the one in the text.
 * @returns its output
 */
export async function typed(line: string, port: number | string, cwd?: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', line.replace(/localhost:\d+/, `localhost:${port}`)], { cwd });
  return stdout;
}
