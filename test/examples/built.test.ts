import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/cleanup.js';
import { linesToType } from '../support/documents/example-readme.js';
import { startProcess } from '../support/processes.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EXAMPLES = join(ROOT, 'examples');

const examples = readdirSync(EXAMPLES, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? entry.name : [],
);

/** Runs the check that `npm start` runs first, in the folder of an example. */
const check = (cwd: string) => startProcess(['../built.mjs'], { cwd }).exited;

it('[fault G5] Each example says that it needs a build, and checks for it before it starts', () => {
  for (const name of examples) {
    expect(linesToType(join(EXAMPLES, name)).slice(0, 2), name).toEqual(['npm ci && npm run build', 'npm start']);
    const { scripts } = JSON.parse(readFileSync(join(EXAMPLES, name, 'package.json'), 'utf8'));
    expect(scripts.prestart, name).toBe('node ../built.mjs');
  }
});

it('[fault G5] Each example finds everything that it needs once the repository is built', async () => {
  expect(examples.length).toBeGreaterThan(5);
  for (const name of examples) {
    expect(await check(join(EXAMPLES, name)), name).toMatchObject({ code: 0, stderr: '' });
  }
});

it('[fault G5] An example says in one line if the packages or the build are missing', async () => {
  const copy = join(temporaryFolder(), 'examples');
  const withoutBuild = (source: string) => !/node_modules|dist$/.test(source);
  cpSync(EXAMPLES, copy, { recursive: true, filter: withoutBuild });
  const advice = 'is missing: run "npm ci && npm run build" at the root of the repository first\n';
  expect(await check(join(copy, 'subscribers'))).toMatchObject({ code: 1, stderr: `pregon ${advice}` });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  expect(await check(join(copy, 'subscribers'))).toMatchObject({ code: 0, stderr: '' });
  expect(await check(join(copy, 'nestjs-funkos'))).toMatchObject({ code: 1, stderr: `dist/main.js ${advice}` });
});
