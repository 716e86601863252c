import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, describe } from 'vitest';

const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
];

const executablePath = [process.env['CHROMIUM'], ...CANDIDATES].find((path) => path !== undefined && existsSync(path));

const required = process.env['PREGON_REQUIRE'] === 'all';

/** Without these, a browser in a closed network asks for updates at every start. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A suite that needs a real browser. Where none is installed it is skipped and says so, unless everything is required. */
export function describeInBrowser(name: string, suite: (open: (options?: PageOptions) => Promise<Page>) => void): void {
  if (executablePath === undefined && !required) {
    describe.skip(`${name} (skipped: install Chromium, apt-get install chromium, or name it: CHROMIUM=/path)`, () =>
      suite(openPage));
    return;
  }
  describe(name, () => suite(openPage));
}

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

let browser: Promise<Browser> | undefined;

afterAll(async () => {
  await (await browser)?.close();
  browser = undefined;
});

/** A page in a context of its own. */
async function openPage(options: PageOptions = {}): Promise<Page> {
  const { colorScheme = 'light', width = 1280, height = 800 } = options;
  if (executablePath === undefined) throw new Error('Chromium is required: apt-get install chromium');
  browser ??= chromium.launch({ executablePath, args: ARGUMENTS });
  const context = await (await browser).newContext({
    colorScheme,
    viewport: { width, height },
    serviceWorkers: 'block',
  });
  return context.newPage();
}
