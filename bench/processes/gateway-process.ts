import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { RUNNING } from './running.js';

const PREGON = fileURLToPath(import.meta.resolve('pregon/package.json')).replace(/package\.json$/, 'dist/cli/main.js');

const START_TIMEOUT_MS = 10_000;
const END_TIMEOUT_MS = 5_000;

/** How much of its output is shown where it does not start. */
const LAST_LINES = 3;

export interface GatewayProcessOptions {
  /** Where it runs: no configuration is found there. */
  readonly folder: string;
  /** As `--log` takes it. */
  readonly log: string;
  readonly exchange: string;
  /** Flags for its Node.js. */
  readonly execArgv: readonly string[];
  /** How many processes serve. @default 1 */
  readonly workers?: number;
}

/** `pregon run`, as anybody would run it, with the route `/events`. */
export class GatewayProcess {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #port: Promise<number>;

  /** Resolves when it listens. */
  static async start(options: GatewayProcessOptions): Promise<{ gateway: GatewayProcess; port: number }> {
    const gateway = new GatewayProcess(options);
    return { gateway, port: await gateway.#port };
  }

  private constructor({ folder, log, exchange, execArgv, workers = 1 }: GatewayProcessOptions) {
    const flags = ['--route=events', `--exchange=${exchange}`, `--log=${log}`, '--log-format=json', '--drain-ms=0'];
    const args = [...execArgv, PREGON, 'run', '127.0.0.1:0', `--workers=${workers}`, ...flags];
    this.#process = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#port = heardPort(this.#process);
    this.#exited = new Promise((resolve) => {
      this.#process.once('close', () => {
        RUNNING.delete(this);
        resolve();
      });
    });
    RUNNING.add(this);
  }

  /** Of the process that was started here, which may have started others. */
  get pid(): number {
    return this.#process.pid ?? 0;
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
}

/** @throws Error with what it said, where it does not say its port in time */
function heardPort(started: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const fail = (how: string) => reject(new Error(`pregon run ${how}: ${said.slice(-LAST_LINES).join(' ')}`));
    const late = setTimeout(() => fail('does not listen'), START_TIMEOUT_MS);
    for (const input of [started.stdout, started.stderr]) {
      if (!input) continue;
      createInterface({ input }).on('line', (line) => {
        said.push(line);
        const port = portIn(line);
        if (port === undefined) return;
        clearTimeout(late);
        resolve(port);
      });
    }
    started.once('error', reject);
    started.once('close', (code, signal) => {
      clearTimeout(late);
      fail(`ended with ${signal ?? code}`);
    });
  });
}

/** Its banner is JSON where its log is. */
function portIn(line: string): number | undefined {
  const port = /"port":(\d+),.*"msg":"listening"/.exec(line)?.[1];
  return port === undefined ? undefined : Number(port);
}
