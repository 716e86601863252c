import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface PartOptions {
  readonly name: string;
  /** The command to start, called for each start. */
  readonly command: () => { readonly file: string; readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv };
  /** Whether the process serves; called repeatedly after each start. An error means no. */
  readonly serves: () => Promise<boolean>;
  /** The file for its output, appended over all its lives. */
  readonly logFile: string;
  /**
   * The pid of a child process that may be killed, or undefined if there is none now.
   * @default none
   */
  readonly inside?: () => Promise<number | undefined>;
  /**
   * The signal for a regular end.
   * @default SIGTERM
   */
  readonly endSignal?: NodeJS.Signals;
  /**
   * Right after a kill, a new process may meet remains of the former one and exit. It is then started again, without a
   * finding.
   *
   * @default false
   */
  readonly mayFailToStart?: boolean;
  /**
   * Called for messages of the process.
   * @default no channel
   */
  readonly onMessage?: (message: unknown) => void;
}

const START_DEADLINE_MS = 180_000;
const STOP_DEADLINE_MS = 60_000;
const LOOK_MS = 50;
const AFTER_SURPRISE_MS = 500;
const MOST_SURPRISES = 10;

/**
 * A process of the run that is killed, stopped and started again. Only processes that were spawned here get signals.
 */
export class Part {
  readonly name: string;
  /** The unexpected exits; each is a finding. */
  readonly surprises: string[] = [];
  readonly #options: PartOptions;
  #child: ChildProcess | undefined;
  #expectsExit = false;
  #hasServed = false;
  #closed = false;

  constructor(options: PartOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process, and resolves when it serves. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.name} runs already`);
    if (this.#closed) return;
    this.#spawn();
    await this.#untilItServes();
  }

  /** Sends `kill -9`, and resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Sends `kill -9` to a child process, and resolves when the part serves again. */
  async killOneInside(): Promise<void> {
    const pid = await this.#options.inside?.();
    if (pid !== undefined && this.#child !== undefined) process.kill(pid, 'SIGKILL');
    await this.#untilItServes();
  }

  /** Makes the process kill itself; resolves when it is gone, or after the time limit. */
  protected async killItself(ask: () => void, withinMs: number): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#expectsExit = true;
    ask();
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await Promise.race([gone, delay(withinMs)]);
  }

  /** Ends the process regularly, and starts it again after a pause. */
  async restart(pause: () => Promise<void>): Promise<void> {
    await this.#askToEnd();
    await pause();
    await this.start();
  }

  /** Ends the process regularly, for good. */
  async stop(): Promise<void> {
    this.#closed = true;
    await this.#askToEnd();
  }

  /** Sends SIGSTOP: the process keeps its sockets and answers nothing. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  send(message: object): void {
    const child = this.#child;
    if (child?.connected !== true) throw new Error(`${this.name} cannot get a message: it does not run`);
    // The process may be killed before the message is out.
    child.send(message, (error) => {
      if (error !== null && child === this.#child && !this.#expectsExit)
        this.surprises.push(`${this.name} did not get a message: ${error.message}`);
    });
  }

  /** Kills the process at once and for good, because this process ends. */
  abandon(): void {
    this.#closed = true;
    this.#expectsExit = true;
    this.#child?.kill('SIGKILL');
  }

  /** Kills the process if it does not end in time. */
  async #askToEnd(): Promise<void> {
    const impatient = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_DEADLINE_MS);
    await this.#end(this.#options.endSignal ?? 'SIGTERM');
    clearTimeout(impatient);
  }

  async #untilItServes(): Promise<void> {
    const deadline = performance.now() + START_DEADLINE_MS;
    while (!this.#closed && !(await this.#serves())) {
      if (performance.now() > deadline)
        throw new Error(`${this.name} does not serve in time; see ${this.#options.logFile}`);
      await delay(LOOK_MS);
      if (this.#child === undefined && !this.#closed) await this.#spawnAgain();
    }
    this.#hasServed = true;
  }

  /**
   * Restarts a process that ended by itself. An unexpected exit has been recorded; the run goes on to show its
   * consequences.
   */
  async #spawnAgain(): Promise<void> {
    if (this.surprises.length >= MOST_SURPRISES)
      throw new Error(`${this.name} ended by itself too often; see ${this.#options.logFile}`);
    await delay(AFTER_SURPRISE_MS);
    this.#spawn();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#expectsExit = true;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    // A frozen process would not get the signal otherwise.
    child.kill('SIGCONT');
    await gone;
  }

  #spawn(): void {
    const { command, logFile, onMessage, mayFailToStart = false } = this.#options;
    const { file, args, env = process.env } = command();
    const log = openSync(logFile, 'a');
    const channel = onMessage === undefined ? [] : (['ipc'] as const);
    const child = spawn(file, args, { env, stdio: ['ignore', log, log, ...channel] });
    closeSync(log);
    this.#child = child;
    this.#expectsExit = false;
    this.#hasServed = false;
    if (onMessage !== undefined) child.on('message', onMessage);
    child.once('error', (error) => this.surprises.push(`${this.name}: ${error.message}`));
    child.once('exit', (code, signal) => {
      this.#child = undefined;
      const expected = this.#expectsExit || (mayFailToStart && !this.#hasServed);
      if (!expected) this.surprises.push(`${this.name} ended by itself with ${signal ?? code}; see ${logFile}`);
    });
  }

  async #serves(): Promise<boolean> {
    try {
      return this.#child !== undefined && (await this.#options.serves());
    } catch {
      return false;
    }
  }
}
