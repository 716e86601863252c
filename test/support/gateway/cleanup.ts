import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

const ends: (() => unknown)[] = [];

afterEach(async () => {
  // The last that was made first: clients, then gateways, then logs, then folders.
  for (const end of ends.splice(0).reverse()) await end();
});

/** Calls `end` after the test, whatever becomes of it. */
export function afterTest(end: () => unknown): void {
  ends.push(end);
}

/** An empty folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pregon-gateway-'));
  afterTest(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
