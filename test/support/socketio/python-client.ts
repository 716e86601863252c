import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { afterTest } from '../cleanup.js';
import { numberOf } from '../gateway/gateway.js';
import { Inbox } from '../gateway/inbox.js';
import { toEvent } from '../gateway/socketio-client.js';
import { isHidden, isRequired } from '../machine.js';

const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('python-client.py', import.meta.url));

const installed = !isHidden('python') && spawnSync(PYTHON, ['-c', 'import socketio, aiohttp']).status === 0;

/**
 * A suite that needs the Python client. If it is not installed, the suite is skipped and says so, unless everything is
 * required.
 */
export function describeWithPython(name: string, suite: () => void): void {
  if (installed || isRequired) describe(name, suite);
  else describe.skip(`${name} (skipped: apt-get install python3-socketio python3-aiohttp)`, suite);
}

export interface PythonOptions {
  readonly topics: string;
  readonly since?: string;
  readonly transports?: readonly string[];
  /** Shown in `auth`. */
  readonly token?: string;
}

/** python3-socketio in its own process. */
export class PythonClient {
  readonly said = new Inbox<object>();
  readonly #child: ChildProcess;
  #stderr = '';

  /** Starts the client, and waits until it is subscribed. */
  static async open(url: string, namespace: string, options: PythonOptions): Promise<PythonClient> {
    const client = new PythonClient(url, namespace, options);
    await client.says('subscribed');
    return client;
  }

  private constructor(url: string, namespace: string, options: PythonOptions) {
    this.#child = spawn(PYTHON, [SCRIPT, url, namespace, JSON.stringify(options)], { stdio: 'pipe' });
    afterTest(() => this.#child.kill('SIGKILL'));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    if (!this.#child.stdout) throw new Error('unreachable');
    createInterface(this.#child.stdout).on('line', (line) => {
      this.said.push(Object(JSON.parse(line)));
    });
  }

  /** The values that it reported under a name so far. */
  of(name: string): unknown[] {
    return this.said.all.filter((said) => name in said).map((said) => Reflect.get(said, name));
  }

  /** Waits until it has reported this many values under a name. */
  async says(name: string, count = 1, deadlineMs?: number): Promise<unknown[]> {
    try {
      await this.said.until(() => this.of(name).length >= count, `${count} × ${name}`, deadlineMs);
    } catch (cause) {
      throw new Error(`Python printed:\n${this.#stderr}`, { cause });
    }
    return this.of(name);
  }

  /** The numbers of its events. */
  numbers(): number[] {
    return this.of('event').map((event) => numberOf(toEvent(event)));
  }

  /** Makes it emit a message and wait for the answer. */
  async call(name: string, data: unknown): Promise<unknown> {
    const before = this.of('answer').length;
    this.#child.stdin?.write(`${JSON.stringify({ call: name, data })}\n`);
    return (await this.says('answer', before + 1)).at(-1);
  }

  async transport(): Promise<unknown> {
    const before = this.of('transport').length;
    this.#child.stdin?.write('{}\n');
    return (await this.says('transport', before + 1)).at(-1);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Makes it disconnect and end. */
  end(): void {
    this.#child.stdin?.end();
  }
}
