import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/cleanup.js';
import { codeBlocks } from '../../../test/support/documents/code-blocks.js';
import { PlainClient } from '../../../test/support/gateway/plain-client.js';
import { freePort } from '../../../test/support/ports.js';
import { describeWithPostgres } from '../../../test/support/postgres.js';
import { createSchema } from '../../../test/support/postgres-schema.js';
import { startProcess } from '../../../test/support/processes.js';
import { eventually } from '../../../test/support/waiting.js';
import type { Workspace } from './support/compile.js';

const PAGE = fileURLToPath(new URL('../README.md', import.meta.url));

const PORT = '3000';
const DATABASE = 'postgres://localhost/shop';

/** Writes the program of the README into a workspace, before it is compiled. */
export function addReadme(workspace: Workspace): void {
  for (const { file, text } of codeBlocks(readFileSync(PAGE, 'utf8'))) {
    if (file === undefined) continue;
    // Values that differ from machine to machine come from the environment.
    const here = text
      .replace(`listen(${PORT})`, "listen(Number(process.env['PORT']))")
      .replace(`'${DATABASE}'`, "process.env['DATABASE'] ?? ''");
    workspace.write(`readme-${file}`, here.replaceAll("'./users.js'", "'./readme-users.js'"));
  }
}

/** The program of the README, compiled and run. */
export async function readmeSuite(workspace: () => Workspace): Promise<void> {
  await describeWithPostgres('the README of the package', (url) => {
    it('[fault G1] has a program that runs: it writes row and event in one transaction, and clients get the event', async () => {
      const blocks = codeBlocks(readFileSync(PAGE, 'utf8'));
      expect(blocks.map(({ language, file }) => file ?? language)).toEqual(['sh', 'users.ts', 'main.ts']);
      const port = await freePort();
      const env = { PORT: String(port), DATABASE: await createSchema(url()), NO_COLOR: '1' };
      const cwd = temporaryFolder();
      const process = startProcess([fileURLToPath(workspace().urlOf('readme-main.js'))], { cwd, env });
      // Nest reports its start shortly before its port is open.
      const isOpen = () =>
        fetch(`http://127.0.0.1:${port}/`).then(
          () => true,
          () => false,
        );
      await eventually(isOpen, (open) => open);
      const client = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ name: 'Ada' });
      const created = await fetch(`http://127.0.0.1:${port}/users`, { method: 'POST', headers, body });
      expect([created.status, await created.json()]).toEqual([201, { id: 1, name: 'Ada' }]);
      const expected = { type: 'UserWasCreated', topic: 'user.1.created', data: { id: 1, name: 'Ada' } };
      expect(await client.events.count(1)).toMatchObject([expected]);
      await process.until(/welcome \{ id: 1, name: 'Ada' \}|welcome \{ name: 'Ada', id: 1 \}/);
    });
  });
}
