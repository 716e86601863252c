import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterTest } from '../cleanup.js';
import { freePort } from '../ports.js';
import { cleanEnvironment } from '../processes.js';
import { eventually } from '../waiting.js';

/** A line of a document that runs in a shell, with all its output. */
export interface RunningLine {
  readonly line: string;
  readonly output: string;
  readonly exited: Promise<number | null>;
  type(text: string): void;
  /** The shell and all its descendants. */
  kill(signal: NodeJS.Signals): Promise<unknown>;
}

/** The ports in the documents, which another test on the machine may be using. */
const PORTS = ['1234', '8080'] as const;

/** Follows a document in a folder, line by line as it stands, except for the ports. */
export class WalkThrough {
  readonly folder: string;
  readonly #ports: ReadonlyMap<string, number>;

  static async start(folder: string): Promise<WalkThrough> {
    const ports = new Map<string, number>();
    for (const port of PORTS) ports.set(port, await freePort());
    return new WalkThrough(folder, ports);
  }

  private constructor(folder: string, ports: ReadonlyMap<string, number>) {
    this.folder = folder;
    this.#ports = ports;
  }

  /** The text with the ports of this run. */
  here(text: string): string {
    return text.replaceAll(/\b(1234|8080)\b/g, (port) => String(this.#ports.get(port)));
  }

  write(file: string, text: string): void {
    const path = join(this.folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, this.here(text));
  }

  run(line: string): RunningLine {
    const child = spawn('sh', ['-c', this.here(line)], { cwd: this.folder, detached: true, env: cleanEnvironment() });
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const kill = async (signal: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // It has ended.
      }
      await exited;
    };
    afterTest(() => kill('SIGKILL'));
    return {
      line,
      exited,
      kill,
      get output() {
        return output;
      },
      type: (text) => void child.stdin.write(text),
    };
  }

  /**
   * Runs a line to its end.
   * @returns its output
   */
  async runToEnd(line: string): Promise<string> {
    const running = this.run(line);
    const code = await running.exited;
    if (code !== 0) throw new Error(`${line} ended with ${code}: ${running.output}`);
    return running.output;
  }

  /** Waits until the output of a line matches. */
  async untilSaid(running: RunningLine, pattern: RegExp): Promise<void> {
    await eventually(
      async () => running.output,
      (output) => pattern.test(output),
    );
  }

  /** Waits until an address answers. */
  async untilServed(url: string): Promise<void> {
    await eventually(
      () =>
        fetch(this.here(url)).then(
          ({ ok }) => ok,
          () => false,
        ),
      (ok) => ok,
    );
  }
}
