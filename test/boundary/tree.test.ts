import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { linksOf, wrongLink } from '../support/documents/links.js';

const root = resolve(import.meta.dirname, '../..');

/**
 * The files of the repository, including those of the next `git add`. In a copy without Git, all files except generated
 * and installed ones.
 */
const files = existsSync(join(root, '.git')) ? filesInGit() : filesInCopy();

function filesInGit(): string[] {
  const line = ['ls-files', '--cached', '--others', '--exclude-standard'];
  return execFileSync('git', line, { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(root, file)));
}

function filesInCopy(folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'dist', 'data', 'artefacts', 'coverage'].includes(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesInCopy(path) : [path];
  });
}

it('[fault G9] The tree contains no profile, core dump or log of a process, and no leftover of a SQLite log', () => {
  const stray =
    /(^|\/)(isolate-\S*\.log|core(\.\d+)?|report\.\d+\S*\.json|npm-debug\.log)$|\.(cpuprofile|heapprofile|heapsnapshot|v8\.log|db|db-wal|db-shm|tgz)$/;
  expect(files.filter((file) => stray.test(file))).toEqual([]);
});

it('[fault G9] Git ignores the files that Node.js writes for a process that is profiled', () => {
  const ignored = readFileSync(join(root, '.gitignore'), 'utf8').split('\n');
  expect(ignored).toEqual(expect.arrayContaining(['isolate-*.log', '*.cpuprofile', '*.heapprofile', '*.heapsnapshot']));
});

/** The most files in a folder; beyond it, related files get their own folder. */
const MOST_FILES = 15;

/** Lists of one kind, where a further level would tell the reader nothing. */
const LONG_LISTS: Readonly<Record<string, string>> = {
  'bench/questions': 'one file for each question that `npm run bench` answers',
  'bench/servers': 'one file for each process that a question starts',
};

it('No folder of sources or tests has more than fifteen files', () => {
  const perFolder = new Map<string, number>();
  for (const file of files.filter((file) =>
    /^(packages|apps|examples|bench|test)\/.*\.(ts|tsx|mts|mjs|cjs|js)$/.test(file),
  )) {
    perFolder.set(dirname(file), (perFolder.get(dirname(file)) ?? 0) + 1);
  }
  const long = [...perFolder].filter(([, count]) => count > MOST_FILES).map(([folder]) => folder);
  expect(long.sort()).toEqual(Object.keys(LONG_LISTS));
});

it('[fault G8] Each link of a document leads to a file of the repository, and to a heading in it', () => {
  const documents = files.filter((file) => file.endsWith('.md'));
  const wrong = documents.flatMap((file) =>
    linksOf(readFileSync(join(root, file), 'utf8')).flatMap((link) => wrongLink(root, file, link) ?? []),
  );
  expect(documents.length).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});
