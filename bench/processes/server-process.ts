import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cpuMicros } from './cpu.js';
import { RUNNING } from './running.js';

const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 5_000;

/** How many lines of its output are shown if it does not start. */
const LAST_LINES = 3;

/** A server that logs JSON lines to standard output, a pipe; the line `listening` contains its port. */
export class ServerProcess {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #port: Promise<number>;
  /** How many lines had this message. */
  readonly #counts = new Map<string, number>();

  /** Starts Node.js with these arguments; resolves when the server listens. */
  static async start(args: readonly string[], folder: string): Promise<{ server: ServerProcess; port: number }> {
    const server = new ServerProcess(args, folder);
    return { server, port: await server.#port };
  }

  private constructor(args: readonly string[], folder: string) {
    const output = openPipe(folder);
    this.#process = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', output.writing, 'pipe'] });
    closeSync(output.writing);
    this.#port = this.#hearPort(output.reading);
    this.#exited = new Promise((resolve) => {
      this.#process.once('close', () => {
        RUNNING.delete(this);
        resolve();
      });
    });
    RUNNING.add(this);
  }

  /** The id of the started process, which may have started others. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** CPU time of all threads of the server, in microseconds. */
  get cpuMicros(): number {
    return cpuMicros(this.pid);
  }

  /** How many lines with this message the server has logged. */
  logged(message: string): number {
    return this.#counts.get(message) ?? 0;
  }

  async end(): Promise<void> {
    this.#process.kill('SIGTERM');
    const late = setTimeout(() => this.kill(), END_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(late);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** @throws Error with its last output, if the server does not report its port in time */
  #hearPort(output: Socket): Promise<number> {
    return new Promise((resolve, reject) => {
      const last: string[] = [];
      const fail = (how: string) => reject(new Error(`the server ${how}: ${last.join(' ')}`));
      const late = setTimeout(() => fail('does not listen'), START_TIMEOUT_MS);
      const heard = (line: string) => {
        last.push(line);
        if (last.length > LAST_LINES) last.shift();
        const message = /"msg":"([^"]*)"/.exec(line)?.[1] ?? '';
        this.#counts.set(message, this.logged(message) + 1);
        const port = portIn(line);
        if (port === undefined) return;
        clearTimeout(late);
        resolve(port);
      };
      for (const input of [output, this.#process.stderr]) {
        if (input) createInterface({ input }).on('line', heard);
      }
      this.#process.once('error', reject);
      this.#process.once('close', (code, signal) => {
        clearTimeout(late);
        fail(`ended with ${signal ?? code}`);
      });
    });
  }
}

/** A real pipe, as under a shell or in a container. The pipes of Node.js are socket pairs. */
function openPipe(folder: string): { reading: Socket; writing: number } {
  const path = join(mkdtempSync(join(folder, 'output-')), 'pipe');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reading: new Socket({ fd, readable: true, writable: false }), writing: openSync(path, constants.O_WRONLY) };
}

function portIn(line: string): number | undefined {
  const port = /"port":(\d+),.*"msg":"listening"/.exec(line)?.[1];
  return port === undefined ? undefined : Number(port);
}
