import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterTest } from './cleanup.js';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** The built command line of the gateway. */
export const PREGON = join(REPOSITORY, 'packages/server/dist/cli/main.js');

const DEFAULT_DEADLINE_MS = 100_000;

/** USER_HZ, the unit of /proc on every architecture that Node.js runs on. */
const TICKS_PER_SECOND = 100;

export interface ProcessOptions {
  /** Added to the environment of the tests, which is passed without PREGON_* and DEBUG. */
  readonly env?: Readonly<Record<string, string>>;
  /** @default the root of the repository */
  readonly cwd?: string;
  /**
   * Text for standard input, which then ends.
   * @default standard input stays open, for {@link RunningProcess.type}
   */
  readonly input?: string | Uint8Array;
  /**
   * Registers the hook that ends it.
   * @default afterTest
   */
  readonly after?: (end: () => unknown) => void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `node` with arguments. It is killed after the test, or by whatever `after` registers. */
export function startProcess(args: readonly string[], options: ProcessOptions = {}): RunningProcess {
  const process = new RunningProcess(args, options);
  const { after = afterTest } = options;
  after(() => process.kill('SIGKILL'));
  return process;
}

/** Starts `pregon` with arguments. */
export function startPregon(args: readonly string[], options: ProcessOptions = {}): RunningProcess {
  return startProcess([PREGON, ...args], options);
}

/** Runs `pregon` to its end. */
export function pregon(args: readonly string[], options: ProcessOptions = {}): Promise<Exit> {
  return startPregon(args, { input: '', ...options }).exited;
}

/** A process and all its output, with methods to wait for output. */
export class RunningProcess {
  readonly exited: Promise<Exit>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #shown: string;
  readonly #listeners = new Set<() => void>();
  #exit: Exit | undefined;

  constructor(args: readonly string[], { env = {}, cwd = REPOSITORY, input }: ProcessOptions) {
    this.#shown = args.join(' ');
    this.#child = spawn(process.execPath, args, { cwd, env: { ...cleanEnvironment(), ...env }, stdio: 'pipe' });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#changed();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#changed();
    });
    // A process that ends without reading its input breaks the pipe; `exited` tells how it ended.
    this.#child.stdin?.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
    if (input !== undefined) this.#child.stdin?.end(input);
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        this.#exit = { code, signal, stdout: this.stdout, stderr: this.stderr };
        this.#changed();
        resolve(this.#exit);
      });
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.#shown} was not started`);
    return pid;
  }

  get stdoutLines(): string[] {
    return this.stdout.split('\n').slice(0, -1);
  }

  get stderrLines(): string[] {
    return this.stderr.split('\n').slice(0, -1);
  }

  /** Waits until standard output (or error, see `options.of`) matches; earlier output counts as well. */
  until(pattern: RegExp, options: { of?: 'stdout' | 'stderr'; deadlineMs?: number } = {}): Promise<RegExpMatchArray> {
    const { of = 'stdout', deadlineMs = DEFAULT_DEADLINE_MS } = options;
    return this.#wait(() => this[of].match(pattern) ?? undefined, `${of} to match ${pattern}`, deadlineMs);
  }

  /** Waits until standard output has this many whole lines, and returns all lines. */
  untilLines(count: number, deadlineMs = DEFAULT_DEADLINE_MS): Promise<string[]> {
    const lines = () => (this.stdoutLines.length >= count ? this.stdoutLines : undefined);
    return this.#wait(lines, `${count} lines of stdout`, deadlineMs);
  }

  /** Writes to standard input. */
  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Ends standard input. */
  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Closes the reading end of standard output, as `| head` does. */
  stopReading(): void {
    this.#child.stdout?.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.#child.kill(signal);
    return this.exited;
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #wait<T>(look: () => T | undefined, what: string, deadlineMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(check);
        settle();
      };
      const fail = (why: string) =>
        end(() => reject(new Error(`${why} for ${what}\n${this.#shown}\n${this.stdout}\n${this.stderr}`)));
      const check = () => {
        const found = look();
        if (found !== undefined) end(() => resolve(found));
        else if (this.#exit) fail(`ended with ${this.#exit.code ?? this.#exit.signal} while waiting`);
      };
      const timer = setTimeout(() => fail(`waited ${deadlineMs} ms in vain`), deadlineMs);
      this.#listeners.add(check);
      check();
    });
  }
}

/** CPU time of all threads of a process so far, in milliseconds, without child processes. See proc_pid_stat(5). */
export function cpuMsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user = Number.NaN, system = Number.NaN] = fields.slice(11, 13).map(Number);
  return ((user + system) * 1_000) / TICKS_PER_SECOND;
}

/** The environment of the tests, without variables that `pregon` reads. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/^(PREGON_|DEBUG$|NODE_OPTIONS$|VITEST)/.test(name));
  return Object.fromEntries(entries);
}
