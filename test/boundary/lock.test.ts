import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

interface Locked {
  readonly engines?: { readonly node?: string } | readonly string[];
  readonly deprecated?: string;
  readonly hasInstallScript?: boolean;
}

const { packages }: { packages: Record<string, Locked> } = JSON.parse(
  readFileSync(join(root, 'package-lock.json'), 'utf8'),
);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The supported major versions of Node.js, each in its first release with long-term support. */
const SUPPORTED = ['20.19.0', '22.13.0', '24.11.0'];

describe('[fault G7] npm ci does not warn', () => {
  it.each(SUPPORTED)('of a package that does not support Node.js %s', (version) => {
    const unfit = Object.entries(packages).flatMap(([name, { engines }]) => {
      const range = engines !== undefined && 'node' in engines ? engines.node : undefined;
      return range === undefined || satisfies(version, range) ? [] : `${name}: ${range}`;
    });
    expect(unfit).toEqual([]);
  });

  it('of a deprecated package', () => {
    expect(
      Object.entries(packages).flatMap(([name, { deprecated }]) => (deprecated ? `${name}: ${deprecated}` : [])),
    ).toEqual([]);
  });

  it('of an install script that is neither allowed nor denied', () => {
    const scripts = Object.entries(packages).flatMap(([name, { hasInstallScript }]) =>
      hasInstallScript ? name.replace(/^.*node_modules\//, '') : [],
    );
    expect(Object.keys(manifest.allowScripts)).toEqual(expect.arrayContaining(scripts));
  });
});

describe('A version of Node.js, compared with a range in the lock file', () => {
  it.each([
    ['20.19.0', '>=20', true],
    ['20.19.0', '>= 22', false],
    ['20.19.0', '^20.19.0 || >=22.12.0', true],
    ['20.18.0', '^20.19.0 || >=22.12.0', false],
    ['22.13.0', '^20.19.0 || ^22.13.0', true],
    ['20.19.0', '18 || 20 || >=22', true],
    ['20.19.0', '10.* || >= 12.*', true],
    ['20.19.0', '>= 10.x', true],
    ['20.19.0', '>=16 || 14 >=14.17', true],
    ['20.19.0', '>=18 <20', false],
    ['24.11.0', '*', true],
  ])('%s is in %s: %s', (version, range, expected) => expect(satisfies(version, range)).toBe(expected));
});

/** Follows semver, for the forms in which packages name versions of Node.js. */
function satisfies(version: string, range: string): boolean {
  return range.split('||').some((alternative) => {
    const comparators = alternative
      .trim()
      .replaceAll(/([<>=^~]) +/g, '$1')
      .split(/\s+/);
    return comparators.every((comparator) => fits(version, comparator));
  });
}

function fits(version: string, comparator: string): boolean {
  const [, operator = '', text = ''] = /^([<>=^~]*)(.*)$/.exec(comparator) ?? [];
  const named = text
    .split('.')
    .filter((part) => /^\d+$/.test(part))
    .map(Number);
  if (named.length === 0) return true;
  const order = compare(version.split('.').map(Number), named);
  if (operator === '>=') return order >= 0;
  if (operator === '>') return order > 0;
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  const prefix = operator === '^' ? named.slice(0, 1) : operator === '~' ? named.slice(0, 2) : named;
  return order >= 0 && prefix.every((part, index) => part === Number(version.split('.')[index]));
}

function compare(version: readonly number[], named: readonly number[]): number {
  for (const [index, part] of named.entries()) {
    const difference = (version[index] ?? 0) - part;
    if (difference !== 0) return difference;
  }
  return 0;
}
