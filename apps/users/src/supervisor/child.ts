import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A process that does not end after SIGTERM is killed after this time. */
const KILL_AFTER_MS = 10_000;

export interface ChildOptions {
  /** The name before each line of its output. */
  readonly name: string;
  /** Flags for Node.js, a JavaScript file and its arguments. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Prints a line of its output. */
  readonly print: (line: string) => void;
}

/** A supervised process. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves with how the process ended, `signal SIGKILL` or `code 1`; never rejects. */
  readonly ended: Promise<string>;
  /** Sends SIGTERM, kills the process if it does not end, and resolves when it has ended. */
  stop(): Promise<void>;
}

export function startChild({ name, argv, cwd, print }: ChildOptions): Child {
  const child = spawn(process.execPath, argv, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  printLines(child.stdout, name, print);
  printLines(child.stderr, name, print);
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(`error ${error.message}`));
    child.on('close', (code, signal) => resolve(signal ? `signal ${signal}` : `code ${code}`));
  });
  return { name, pid: child.pid ?? 0, ended, stop: () => stopChild(child, ended) };
}

async function stopChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const impatient = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  await ended;
  clearTimeout(impatient);
}

function printLines(stream: Readable, name: string, print: (line: string) => void): void {
  createInterface({ input: stream }).on('line', (line) => print(`${name.padEnd(7)} │ ${line}`));
}
