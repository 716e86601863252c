import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const ROOT = resolve(import.meta.dirname, '../../..');

export const PACKAGES = ['protocol', 'client', 'outbox', 'server', 'nest'] as const;

export type PackageName = (typeof PACKAGES)[number];

/**
 * Packs all packages as `npm publish` would.
 * @returns the tarballs, by folder
 */
export async function pack(folder: string): Promise<ReadonlyMap<PackageName, string>> {
  const workspaces = PACKAGES.flatMap((name) => ['-w', `packages/${name}`]);
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, ...workspaces], { cwd: ROOT });
  const files = filenamesIn(stdout);
  return new Map(PACKAGES.map((name, index) => [name, join(folder, files[index] ?? '')]));
}

/** In the order of the arguments. npm prints a list, or since version 11 an object by name. */
function filenamesIn(json: string): string[] {
  const answer: unknown = JSON.parse(json);
  return Object.values(Object(answer)).map((packed) => String(Reflect.get(Object(packed), 'filename')));
}
