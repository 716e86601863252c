import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterTest } from '../cleanup.js';
import { within } from '../gateway/inbox.js';
import { PREGON } from '../processes.js';

const PROBE = fileURLToPath(new URL('heap-probe.mjs', import.meta.url));

/** The live objects of a gateway process, after full collections. */
export interface Look {
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** The number of objects of each kind that a client has. */
  readonly alive: Readonly<Record<string, number>>;
}

/** A regular `pregon run` whose heap can be inspected. */
export class ChurnedGateway {
  readonly port: number;
  readonly #child: ChildProcess;
  #asked = 0;

  static async start(cwd: string, flags: readonly string[]): Promise<ChurnedGateway> {
    const child = fork(PREGON, ['run', '127.0.0.1:0', ...flags], {
      cwd,
      execArgv: ['--expose-gc', `--import=${PROBE}`],
      stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    });
    afterTest(() => child.kill('SIGKILL'));
    const listening = new Promise<number>((resolve, reject) => {
      let said = '';
      // Read all output, because an unread pipe would block the gateway.
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        if (said.length < 10_000) said += text;
        const [, port] = /listens on 127\.0\.0\.1:(\d+) /.exec(said) ?? [];
        if (port !== undefined) resolve(Number(port));
      });
      child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${said}`)));
    });
    return new ChurnedGateway(child, await within(listening, 'a gateway'));
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  look(): Promise<Look> {
    return this.#ask<Look>('look');
  }

  /** The resources that keep its event loop busy, such as sockets and timers, by kind. */
  open(): Promise<readonly string[]> {
    return this.#ask<readonly string[]>('open');
  }

  #ask<T>(name: string): Promise<T> {
    const id = this.#asked++;
    const child = this.#child;
    const answered = new Promise<T>((resolve, reject) => {
      const listen = (said: { id: number; answer: T }) => {
        if (said.id !== id) return;
        child.off('message', listen);
        child.off('exit', gone);
        resolve(said.answer);
      };
      const gone = (code: number | null) => reject(new Error(`the gateway ended with ${code}`));
      child.on('message', listen);
      child.once('exit', gone);
      child.send({ id, name });
    });
    return within(answered, `an answer to ${name}`, 60_000);
  }
}
