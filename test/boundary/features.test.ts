import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const docs = resolve(import.meta.dirname, '../../docs/development');

interface Row {
  readonly row: string;
  readonly files: readonly string[];
}

const rows: Row[] = readFileSync(join(docs, 'test-matrix.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const row = /^\| ([0-9GH]+-\d+) \|/.exec(line)?.[1];
    return row === undefined ? [] : [{ row, files: filesIn(line) }];
  });

it('Each row of docs/development/test-matrix.md has a test with its number in each file that it names', () => {
  expect(rows.length).toBeGreaterThan(100);
  const wrong = rows.flatMap(({ row, files }) => {
    const without = files.filter((file) => !bears(row, readFileSync(join(docs, file), 'utf8')));
    return files.length === 0 ? [`${row}: no test`] : without.map((file) => `${row}: ${file}`);
  });
  expect(wrong).toEqual([]);
});

function filesIn(line: string): string[] {
  return [...line.matchAll(/\]\((\.\.\/[^)]+\.ts)\)/g)].map(([, file = '']) => file);
}

/** Written as `[000-21]`, or within `[001-05/06/07]` or `[002-05..08]`. */
function bears(row: string, text: string): boolean {
  const [part = '', number = ''] = row.split('-');
  return [...text.matchAll(/\[([0-9GH]+)-([\d./]+)\]/g)].some(
    ([, ofPart, numbers = '']) => ofPart === part && numbers.split('/').some((range) => isIn(range, Number(number))),
  );
}

function isIn(range: string, number: number): boolean {
  const [first, last = first] = range.split('..').map(Number);
  return first !== undefined && last !== undefined && first <= number && number <= last;
}
