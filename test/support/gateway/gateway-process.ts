import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AuthOptions, GatewayLimits, ListenOptions, RouteOptions } from 'pregon';
import { afterTest } from '../cleanup.js';
import { freePort } from '../ports.js';
import { within } from './inbox.js';

const SCRIPT = fileURLToPath(new URL('gateway-process.mjs', import.meta.url));

/**
 * The size of the young generation under `npm start` and in workers. It is cleared in a few milliseconds, which count
 * in the turn that they interrupt.
 */
const FLAGS = ['--expose-gc', '--max-semi-space-size=2'];

/** The options that JSON can represent. */
export interface ProcessOptions extends GatewayLimits {
  readonly log: string;
  readonly routes?: Readonly<
    Record<
      string,
      Pick<RouteOptions, 'path' | 'topics' | 'exchanges' | 'compression' | 'broadcast' | 'allow'> & {
        snapshot?: string;
      }
    >
  >;
  readonly auth?: Pick<AuthOptions, 'issuers'>;
}

/** How to start the process, in addition to its own flags and the environment of this process. */
export interface ProcessSettings {
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly id: number;
  readonly answer: unknown;
}

/** A gateway in its own process, to be measured and killed. */
export class GatewayProcess {
  readonly port: number;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  #asked = 0;

  static async start(
    options: ProcessOptions,
    listen: ListenOptions = {},
    { flags = [], environment = {} }: ProcessSettings = {},
  ): Promise<GatewayProcess> {
    const complete = { routes: { events: { path: '/events' } }, ...options };
    const address = { ...listen, port: listen.port ?? (await freePort()) };
    const child = fork(SCRIPT, [JSON.stringify(complete), JSON.stringify(address)], {
      execArgv: [...FLAGS, ...flags],
      env: { ...process.env, ...environment },
    });
    const started = new Promise<number>((resolve, reject) => {
      child.once('message', (said) => resolve(Number(Reflect.get(Object(said), 'port'))));
      child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}`)));
    });
    afterTest(() => child.kill('SIGKILL'));
    return new GatewayProcess(child, await within(started, 'a gateway process'));
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  ws(path: string): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  http(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Resident bytes after a full collection. */
  async memory(): Promise<number> {
    return Number(await this.#ask('memory'));
  }

  /** Bytes on the heap and in buffers after full collections, without memory that the allocator keeps for later. */
  async held(): Promise<number> {
    return Number(await this.#ask('held'));
  }

  /** Resident bytes, without a collection. */
  async rss(): Promise<number> {
    return Number(await this.#ask('rss'));
  }

  async connections(route = 'events'): Promise<number> {
    return Number(await this.#ask('connections', route));
  }

  /**
   * The longest turn of its event loop since the last call (or since the start), in milliseconds of CPU time of its
   * main thread. A busy machine does not make it longer, so a test may compare it with a limit.
   */
  async longestTurnMs(): Promise<number> {
    return Number(await this.#ask('longestTurn'));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Closes the gateway, after which its process must end by itself.
   * @returns how long `close` took, in milliseconds
   */
  async close(options: { spreadMs?: number; timeoutMs?: number }): Promise<number> {
    return Number(await this.#ask('close', options));
  }

  /** Suspends the process, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  #ask(name: string, argument?: unknown): Promise<unknown> {
    const id = this.#asked++;
    const child = this.#child;
    const answered = new Promise<unknown>((resolve, reject) => {
      const listen = (said: unknown) => {
        if (!isAnswer(said) || said.id !== id) return;
        child.off('message', listen);
        child.off('exit', gone);
        resolve(said.answer);
      };
      const gone = (code: number | null, signal: string | null) =>
        reject(new Error(`the gateway ended with ${code ?? signal}`));
      child.on('message', listen);
      child.once('exit', gone);
      child.send({ id, name, argument });
    });
    return within(answered, `an answer to ${name}`, 60_000);
  }
}

function isAnswer(said: unknown): said is Answer {
  return typeof said === 'object' && said !== null && 'id' in said && 'answer' in said;
}
