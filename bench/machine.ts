import { execFileSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LIBRARIES = ['ws', 'socket.io', 'libsql'] as const;

/** `f_type` of tmpfs, a file system in memory where fsync does nothing (linux/magic.h). */
const TMPFS = 0x01021994;

/** The facts about a run that are needed to judge its figures. */
export function describeRun(command: string, folder: string): Record<string, string> {
  const all = cpus();
  const [one, five] = loadavg();
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    machine: `${all[0]?.model.trim() ?? 'unknown'}, ${all.length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    // Without the suffix that a distribution or a host adds to the version.
    system: `${platform()} ${release().split('-')[0]} ${arch()}`,
    node: process.version,
    libraries: LIBRARIES.map((name) => `${name} ${versionOf(name)}`).join(', '),
    commit: commit(),
    command,
    load: `${one?.toFixed(2)} over one minute before the run, ${five?.toFixed(2)} over five`,
    ...(statfsSync(folder).type === TMPFS ? { warning: 'the log is in memory: fsync costs nothing here' } : {}),
  };
}

function versionOf(library: string): string {
  const manifest: unknown = JSON.parse(readFileSync(`${ROOT}node_modules/${library}/package.json`, 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '?';
}

function commit(): string {
  try {
    const head = git('rev-parse', '--short', 'HEAD');
    return git('status', '--porcelain', '--', 'packages', 'bench') === '' ? head : `${head} with changes`;
  } catch {
    return 'unknown: not a repository';
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
