import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterTest, temporaryFolder } from '../cleanup.js';
import { type RunningProcess, startPregon } from '../processes.js';
import { eventually } from '../waiting.js';

export interface WorkersOptions {
  /** @default 2 */
  readonly workers?: number;
  readonly flags?: readonly string[];
  /**
   * Whether to log connections when they open, for {@link Workers.untilOpened}.
   * @default false
   */
  readonly logsOpened?: boolean;
  /** @default a new SQLite file in its folder */
  readonly log?: string;
  /** @default any free port, which may change if for a moment no worker is alive */
  readonly port?: number;
  /**
   * The folder in which it runs, with its configuration if there is one.
   * @default an empty folder
   */
  readonly cwd?: string;
  /** Takes what ends it. @default afterTest */
  readonly after?: typeof afterTest;
}

/** `pregon run --workers` on a free port, with the route `/events` unless a configuration says otherwise. */
export class Workers {
  readonly primary: RunningProcess;
  readonly cwd: string;
  /** A folder for temporary files that only these processes use. */
  readonly temporary: string;
  port = 0;

  /** Starts the workers, and resolves when all serve. */
  static async start(options: WorkersOptions = {}): Promise<Workers> {
    const workers = new Workers(options);
    const [, port] = await workers.primary.until(/listens on 127\.0\.0\.1:(\d+) /);
    workers.port = Number(port);
    return workers;
  }

  /** Does not wait. */
  constructor({
    workers = 2,
    port = 0,
    log = 'sqlite:log.db',
    after = afterTest,
    cwd = temporaryFolder(after),
    flags = ['--route=events', '--exchange=events'],
    logsOpened = false,
  }: WorkersOptions = {}) {
    this.cwd = cwd;
    this.temporary = temporaryFolder(after);
    const line = ['run', `127.0.0.1:${port}`, `--log=${log}`, `--workers=${workers}`, ...flags];
    if (logsOpened) line.push('--debug');
    this.primary = startPregon(line, { cwd, env: { TMPDIR: this.temporary }, after });
  }

  get logFile(): string {
    return join(this.cwd, 'log.db');
  }

  url(scheme: 'ws' | 'http' | 'wss' | 'https', path: string): string {
    return `${scheme}://127.0.0.1:${this.port}${path}`;
  }

  /** The running child processes of the primary. */
  pids(): number[] {
    const { pid } = this.primary;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  }

  /** Waits until this many workers run, none of which is `killed`. */
  untilPids(count: number, killed?: number): Promise<number[]> {
    return eventually(
      () => this.pids(),
      (pids) => pids.length === count && !pids.includes(killed ?? 0),
    );
  }

  /**
   * Waits until this many connections have been opened in all.
   * @returns how many each worker has, in the order of the worker numbers
   */
  untilOpened(count: number): Promise<number[]> {
    return eventually(
      () => this.#opened(),
      (counts) => counts.reduce((sum, opened) => sum + opened, 0) === count,
    );
  }

  #opened(): number[] {
    const counts: number[] = [];
    for (const [, worker] of this.primary.stdout.matchAll(/connection opened worker=(\d+) /g)) {
      counts[Number(worker) - 1] = (counts[Number(worker) - 1] ?? 0) + 1;
    }
    return counts;
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
