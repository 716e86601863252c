import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Ask, type Fields, type Figures, isAnswer } from './messages.js';
import { RUNNING } from './running.js';

/** How long a process may take to end by itself. */
const END_TIMEOUT_MS = 5_000;

/** A process of a benchmark: a server, a publisher or a load client. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #asked = new Map<number, { resolve: (figures: Figures) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #ending = false;

  /**
   * @param module a module in bench/, without extension: `servers/gateway`
   * @param execArgv flags for Node.js
   * @param execPath the program that runs it, instead of this Node.js
   */
  static start(module: string, execArgv: readonly string[] = [], execPath = process.execPath): Child {
    const child = new Child(module, execArgv, execPath);
    RUNNING.add(child);
    return child;
  }

  private constructor(module: string, execArgv: readonly string[], execPath: string) {
    this.name = module;
    const path = fileURLToPath(new URL(`../${module}.js`, import.meta.url));
    this.#process = fork(path, { execPath, execArgv: [...execArgv], stdio: ['ignore', 2, 2, 'ipc'] });
    this.#process.on('message', (message) => this.#answered(message));
    this.#exited = new Promise((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.once('exit', (code, signal) => this.#gone(`ended with ${signal ?? code}`));
    this.#process.once('error', (error) => this.#gone(error.message));
  }

  /** @throws Error if the process fails to answer, or has ended */
  ask(op: string, fields: Fields = {}): Promise<Figures> {
    const id = ++this.#lastId;
    const message: Ask = { id, op, fields };
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#process.send(message, (error) => {
        if (error) this.#gone(error.message);
      });
    });
  }

  /** Resolves when the process has ended. If it does not end by itself, it is killed. */
  async end(): Promise<void> {
    this.#ending = true;
    if (this.#process.connected) this.#process.disconnect();
    const late = setTimeout(() => this.#process.kill('SIGKILL'), END_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(late);
  }

  kill(): void {
    this.#ending = true;
    this.#process.kill('SIGKILL');
  }

  #answered(message: unknown): void {
    if (!isAnswer(message)) return;
    const asked = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    if ('error' in message) asked?.reject(new Error(`${this.name}: ${message.error}`));
    else asked?.resolve(message.figures);
  }

  #gone(how: string): void {
    RUNNING.delete(this);
    if (this.#ending) this.#asked.clear();
    for (const { reject } of this.#asked.values()) reject(new Error(`${this.name} ${how}`));
    this.#asked.clear();
  }
}
