import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { describe } from 'vitest';
import { afterFile, afterTest } from '../cleanup.js';
import { isHidden, isRequired } from '../machine.js';

/** The headless shell comes first: a page costs it a third of the time, because it draws no window. */
const CANDIDATES = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
];

const executablePath = isHidden('chromium')
  ? undefined
  : [process.env['CHROMIUM'], ...CANDIDATES].find((path) => path !== undefined && existsSync(path));

/** Without these flags, a browser in a closed network asks for updates at every start. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * A suite that needs a real browser. If none is installed, the suite is skipped and says so, unless everything is
 * required.
 */
export function describeInBrowser(name: string, suite: (open: (options?: PageOptions) => Promise<Page>) => void): void {
  if (executablePath === undefined && !isRequired) {
    describe.skip(`${name} (skipped: install Chromium, apt-get install chromium-headless-shell, or name it: CHROMIUM=/path)`, () =>
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

/** Opens a page in a separate context, which is closed after the test, because an open page keeps using CPU. */
async function openPage(options: PageOptions = {}): Promise<Page> {
  const { colorScheme = 'light', width = 1280, height = 800 } = options;
  if (executablePath === undefined) throw new Error('Chromium is required: apt-get install chromium-headless-shell');
  browser ??= launch(executablePath);
  const context = await (await browser).newContext({
    colorScheme,
    viewport: { width, height },
    serviceWorkers: 'block',
  });
  afterTest(() => context.close());
  return context.newPage();
}

/** One browser for all pages of a file. */
function launch(executablePath: string): Promise<Browser> {
  afterFile(async () => {
    await (await browser)?.close();
    browser = undefined;
  });
  return chromium.launch({ executablePath, args: ARGUMENTS });
}
