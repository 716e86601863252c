import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { afterTest, temporaryFolder } from '../cleanup.js';
import { startedByReadme } from '../documents/example-readme.js';
import { stablePort } from '../ports.js';
import { type Exit, type RunningProcess, startProcess } from '../processes.js';
import type { PageOptions } from './browser.js';

const ARTEFACTS = join(import.meta.dirname, '../../../artefacts/screenshots');

const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));

export interface ExampleOptions {
  /** @default the program that its README starts */
  readonly main?: string;
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Registers the hook that ends it.
   * @default afterTest
   */
  readonly after?: typeof afterTest;
}

/** An example as `npm start` runs it, with its data in a folder that is removed after the test. */
export class Example {
  readonly folder: string;
  readonly port: number;
  readonly #main: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #after: typeof afterTest;
  #process: RunningProcess;

  private constructor(main: string, port: number, { env, after }: Required<Omit<ExampleOptions, 'main'>>) {
    this.folder = temporaryFolder(after);
    this.#after = after;
    this.port = port;
    this.#main = main;
    this.#env = { HOST: '127.0.0.1', PORT: String(port), ...env };
    this.#process = this.#start();
  }

  /** Waits until the example reports that it runs. */
  static async start(name: string, { main, env = {}, after = afterTest }: ExampleOptions = {}): Promise<Example> {
    const folder = join(EXAMPLES, name);
    const [program = ''] = main === undefined ? startedByReadme(folder) : [main];
    const example = new Example(join(folder, program), await stablePort(), { env, after });
    await example.running();
    return example;
  }

  get process(): RunningProcess {
    return this.#process;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async running(): Promise<void> {
    await this.#process.until(new RegExp(`running on port ${this.port}\n`));
  }

  kill(): Promise<Exit> {
    return this.#process.kill('SIGKILL');
  }

  /** Starts the example again on the same port, with the same data. */
  async restart(): Promise<void> {
    this.#process = this.#start();
    await this.running();
  }

  #start(): RunningProcess {
    return startProcess([this.#main], { cwd: this.folder, env: this.#env, after: this.#after });
  }
}

/** Collects the errors of a page, including violations of its content security policy. */
export function problemsOf(page: Page): string[] {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on(
    'console',
    (message) => message.type() === 'error' && problems.push(`${message.text()} ${message.location().url}`),
  );
  return problems;
}

/** Takes screenshots of a page, on a desktop in light and on a phone in dark. Nothing may be wider than the page. */
export async function lookAt(
  name: string,
  openPage: (options: PageOptions) => Promise<Page>,
  show: (page: Page) => Promise<unknown>,
): Promise<void> {
  mkdirSync(ARTEFACTS, { recursive: true });
  for (const [kind, width, colorScheme] of [
    ['desktop', 1280, 'light'],
    ['phone', 390, 'dark'],
  ] as const) {
    const page = await openPage({ width, height: 800, colorScheme });
    await show(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.screenshot({ path: join(ARTEFACTS, `${name}-${kind}-${colorScheme}.png`) });
  }
}
