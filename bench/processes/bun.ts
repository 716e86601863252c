import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The names of architectures in Bun's packages. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x64', arm64: 'aarch64' };

const PEERS = fileURLToPath(new URL('../../peers/', import.meta.url));

/** The path of Bun, or why it does not run here and what to do. */
export type Bun = { readonly path: string; readonly version: string } | { readonly missing: string };

let found: Bun | undefined;

export function findBun(): Bun {
  found ??= findBunIn(PEERS);
  return found;
}

/** @param folder the folder in which npm installed Bun */
export function findBunIn(folder: string): Bun {
  const path = `${folder}node_modules/@oven/bun-${platform()}-${ARCHITECTURES[arch()] ?? arch()}/bin/bun`;
  if (!existsSync(path)) return { missing: 'not installed: npm run bench:peers' };
  const { status, signal, stdout, error } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  if (status === 0) return { path, version: stdout.trim() };
  return { missing: `does not run on this machine: ${error?.message ?? signal ?? `it ends with ${status}`}` };
}
