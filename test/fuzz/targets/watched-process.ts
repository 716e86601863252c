import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterTest } from '../../support/cleanup.js';
import { within } from '../../support/gateway/inbox.js';

const PROBE = fileURLToPath(new URL('delivery-probe.mjs', import.meta.url));

/** Texts that a log must not contain, whatever clients send. */
const TRACES = /unhandled|uncaught|^\s+at .+:\d+:\d+\)?$|\\n\s+at .+?:\d+:\d+|ReferenceError|TypeError: Cannot read/im;

/** How much of the output is kept for a report. */
const KEPT_CHARACTERS = 4_000;

/** A process that must survive any input. An exit, a stack trace, and any output on standard error are faults. */
export class WatchedProcess {
  readonly faults: string[] = [];
  readonly #child: ChildProcess;
  #output = '';
  #isStopping = false;
  readonly #exited: Promise<void>;

  /** @param listening matches the output of the process once it listens */
  static async start(
    args: readonly string[],
    options: { cwd: string; probeFolder: string; listening: RegExp },
  ): Promise<{ process: WatchedProcess; said: RegExpExecArray }> {
    const child = spawn(process.execPath, [`--import=${PROBE}`, ...args], {
      cwd: options.cwd,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PREGON_FUZZ_PROBE: options.probeFolder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    afterTest(() => child.kill('SIGKILL'));
    const watched = new WatchedProcess(child);
    const said = new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = options.listening.exec(watched.#output);
        if (match) resolve(match);
      };
      child.stdout?.on('data', look);
      child.once('exit', () => reject(new Error(`the process did not start: ${watched.#output}`)));
    });
    return { process: watched, said: await within(said, 'a gateway', 30_000) };
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    const hear = (isError: boolean) => (text: string) => {
      this.#output = (this.#output + text).slice(-KEPT_CHARACTERS);
      if (isError) this.#fault(`standard error: ${text.slice(0, 3_000)}`);
      else if (TRACES.test(text)) this.#fault(`its log: ${(TRACES.exec(text)?.input ?? text).slice(0, 3_000)}`);
    };
    child.stdout?.setEncoding('utf8').on('data', hear(false));
    child.stderr?.setEncoding('utf8').on('data', hear(true));
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        if (!this.#isStopping) this.#fault(`the process ended with ${code ?? signal}: ${this.#output}`);
        resolve();
      });
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the process was not started');
    return pid;
  }

  /** The child processes of this process: its workers. */
  get children(): number[] {
    const text = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  }

  /** The peak of its resident memory, in MiB. */
  peakMiB(pid = this.pid): number {
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024);
  }

  /** Ends the process as an operator does; if it does not end, that is a fault. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#child.kill('SIGTERM');
    await within(this.#exited, 'the gateway to stop', 30_000);
  }

  #fault(text: string): void {
    if (this.faults.length < 20) this.faults.push(text);
  }
}
