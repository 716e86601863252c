import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type End = () => unknown;

const ofTest: End[] = [];
const ofFile: End[] = [];

/** Calls `end` after the test, whatever becomes of it. */
export function afterTest(end: End): void {
  ofTest.push(end);
}

/** Calls `end` after the last test of the file. */
export function afterFile(end: End): void {
  ofFile.push(end);
}

/** An empty folder that is gone after the test, or after whatever `after` waits for. */
export function temporaryFolder(after: (end: End) => void = afterTest): string {
  const folder = mkdtempSync(join(tmpdir(), 'pregon-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function endTest(): Promise<void> {
  return endAll(ofTest);
}

export function endFile(): Promise<void> {
  return endAll(ofFile);
}

/** The last that was made first: clients, then gateways, then logs, then folders. */
async function endAll(ends: End[]): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end();
}
