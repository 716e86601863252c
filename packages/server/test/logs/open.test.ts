import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../../test/support/cleanup.js';

import { openLog } from '../../src/logs/open.js';

it('a sqlite: URL names a file, relative to the working directory or absolute', async () => {
  const path = join(temporaryFolder(), 'log.db');
  const log = await openLog(`sqlite:${relative(process.cwd(), path)}`);
  expect(log.name).toBe(`sqlite:${relative(process.cwd(), path)}`);
  expect(existsSync(path)).toBe(true);
  await log.close();
  const again = await openLog(`sqlite:${path}`);
  await again.close();
});

it('any other URL is refused; the error lists the known forms, and shows no password', async () => {
  for (const url of ['', 'sqlite:', 'data/pregon.db', 'redis://user:secret@host/', 'sqlite', 'file:x']) {
    const refused: unknown = await openLog(url).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('sqlite:PATH') });
    expect(String(refused)).not.toContain('secret');
  }
});
