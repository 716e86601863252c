import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type End = () => unknown;

const ofTest: End[] = [];
const ofFile: End[] = [];

/** Registers a hook that runs after the test, whether it passes or fails. */
export function afterTest(end: End): void {
  ofTest.push(end);
}

/** Registers a hook that runs after the last test of the file. */
export function afterFile(end: End): void {
  ofFile.push(end);
}

/** An empty folder that is removed after the test, or by whatever `after` registers. */
export function temporaryFolder(after: (end: End) => void = afterTest): string {
  const folder = mkdtempSync(join(tmpdir(), 'pregon-test-'));
  // A process that is ending may still write into it.
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return folder;
}

export function endTest(): Promise<void> {
  return endAll(ofTest);
}

export function endFile(): Promise<void> {
  return endAll(ofFile);
}

/** Runs the hooks in reverse order: clients end first, then gateways, then logs, then folders. */
async function endAll(ends: End[]): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end();
}
