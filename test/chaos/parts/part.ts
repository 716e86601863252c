import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface PartOptions {
  readonly name: string;
  /** What is started, each time anew. */
  readonly command: () => { readonly file: string; readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv };
  /** Whether it serves; asked again and again after each start. What it throws means no. */
  readonly serves: () => Promise<boolean>;
  /** Where its output goes, appended over all its lives. */
  readonly logFile: string;
  /** A process that it started itself and that may be killed; undefined where there is none now. @default none */
  readonly inside?: () => Promise<number | undefined>;
  /** What asks it to end by itself. @default SIGTERM */
  readonly endSignal?: NodeJS.Signals;
  /**
   * Right after a kill it may find what its former life has left, and end; it is started again then, and that is no finding.
   * @default false
   */
  readonly mayFailToStart?: boolean;
  /** @default no channel */
  readonly onMessage?: (message: unknown) => void;
}

const START_DEADLINE_MS = 180_000;
const STOP_DEADLINE_MS = 60_000;
const LOOK_MS = 50;
const AFTER_SURPRISE_MS = 500;
const MOST_SURPRISES = 10;

/** A process of the run that is killed, stopped and started again; nothing else is ever signalled than what was spawned here. */
export class Part {
  readonly name: string;
  /** How often it ended though nobody killed it: each is a finding. */
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

  /** Starts it and resolves when it serves. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.name} runs already`);
    if (this.#closed) return;
    this.#spawn();
    await this.#untilItServes();
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** `kill -9` of one process that it started; resolves when it serves (again). */
  async killOneInside(): Promise<void> {
    const pid = await this.#options.inside?.();
    if (pid !== undefined && this.#child !== undefined) process.kill(pid, 'SIGKILL');
    await this.#untilItServes();
  }

  /** Has it kill itself; resolves when it has, or did not in time. */
  protected async killItself(ask: () => void, withinMs: number): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#expectsExit = true;
    ask();
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await Promise.race([gone, delay(withinMs)]);
  }

  /** Asks it to end by itself, and starts it again after a pause. */
  async restart(pause: () => Promise<void>): Promise<void> {
    await this.#askToEnd();
    await pause();
    await this.start();
  }

  /** Asks it to end by itself, for good. */
  async stop(): Promise<void> {
    this.#closed = true;
    await this.#askToEnd();
  }

  /** SIGSTOP: it holds its sockets and answers nothing. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  send(message: object): void {
    const child = this.#child;
    if (child?.connected !== true) throw new Error(`${this.name} cannot be told: it does not run`);
    // It may be killed before the message is out.
    child.send(message, (error) => {
      if (error !== null && child === this.#child) this.surprises.push(`${this.name} was not told: ${error.message}`);
    });
  }

  /** At once and for good, for the end of this process. */
  abandon(): void {
    this.#closed = true;
    this.#expectsExit = true;
    this.#child?.kill('SIGKILL');
  }

  /** Kills it where it does not end in time. */
  async #askToEnd(): Promise<void> {
    const impatient = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_DEADLINE_MS);
    await this.#end(this.#options.endSignal ?? 'SIGTERM');
    clearTimeout(impatient);
  }

  async #untilItServes(): Promise<void> {
    const deadline = performance.now() + START_DEADLINE_MS;
    while (!this.#closed && !(await this.#serves())) {
      if (performance.now() > deadline) throw new Error(`${this.name} does not serve; see ${this.#options.logFile}`);
      await delay(LOOK_MS);
      if (this.#child === undefined && !this.#closed) await this.#spawnAgain();
    }
    this.#hasServed = true;
  }

  /** It ended by itself. Where that was a surprise it is noted; the run goes on to show what becomes of it. */
  async #spawnAgain(): Promise<void> {
    if (this.surprises.length >= MOST_SURPRISES)
      throw new Error(`${this.name} ends again and again; see ${this.#options.logFile}`);
    await delay(AFTER_SURPRISE_MS);
    this.#spawn();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#expectsExit = true;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    // One that is frozen would never hear of it.
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
