import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Libsql from 'libsql';
import { expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../../../test/support/cleanup.js';
import { startProcess } from '../../../../test/support/processes.js';
import { createVirtualHost, describeWithBroker } from '../../../../test/support/rabbitmq.js';
import { KEPT_LIMITS } from '../../src/core/ports/kept.js';
import { openMemoryLog } from '../../src/logs/memory/memory-log.js';
import { openLog } from '../../src/logs/open.js';

const KEEP = fileURLToPath(new URL('../../../../test/support/log/keep.mjs', import.meta.url));

/** Kills a process during its changes. @returns the number of changes that were confirmed as safe */
async function killAmidChanges(url: string, after: number): Promise<number> {
  const keeping = startProcess([KEEP, url]);
  await keeping.untilLines(after);
  const { stdout } = await keeping.kill('SIGKILL');
  return Number(stdout.split('\n').slice(0, -1).at(-1));
}

async function expectAllKept(url: string): Promise<void> {
  const safe = await killAmidChanges(url, 20);
  const log = await openLog(url);
  afterTest(() => log.close());
  const all = await log.kept.all();
  for (let n = 1; n <= safe; n++) expect(all.get(`key-${n}`)?.value).toBe(String(n));
  expect(all.size).toBeLessThanOrEqual(safe + 1);
}

it('[I-10] [I-11] sqlite: kept values survive a kill', () =>
  expectAllKept(`sqlite:${join(temporaryFolder(), 'log.db')}`));

describeWithBroker('a log on RabbitMQ', () => {
  it('[I-10] [I-11] preserves kept values over a kill', async () => {
    const { url, drop } = await createVirtualHost();
    afterTest(drop);
    await expectAllKept(`${url}?stream=log`);
  });

  it('stores the secret and the kept values in one stream', async () => {
    const { url, drop } = await createVirtualHost();
    afterTest(drop);
    const log = await openLog(`${url}?stream=log`);
    afterTest(() => log.close());
    const secret = await log.secret();
    await log.kept.put('a', '1');
    // Both are in one stream, and neither reader mistakes the entries of the other.
    expect(await log.secret()).toEqual(secret);
    expect((await log.kept.all()).size).toBe(1);
  });
});

it('a full set refuses new keys until some expire, but accepts changes of existing keys', async () => {
  const { kept } = openMemoryLog();
  for (let n = 1; n < KEPT_LIMITS.entries; n++) await kept.put(`key-${n}`, '');
  await kept.put('short', '', { expiresAt: Date.now() - 1 });
  await kept.put('last', '');
  await expect(kept.put('new', '')).rejects.toMatchObject({ code: 'KEPT_FULL', retryable: false });
  await kept.put('last', 'changed');
  await kept.delete('key-1');
  await kept.put('new', '');
  expect((await kept.all()).size).toBe(KEPT_LIMITS.entries);
});

it('sqlite: a full set refuses new keys', async () => {
  const path = join(temporaryFolder(), 'log.db');
  const { kept, close } = await opened(path);
  const raw = new Libsql(path);
  raw.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${KEPT_LIMITS.entries})
    INSERT INTO kept SELECT '"' || i || '"', '""', NULL FROM n`);
  raw.close();
  await expect(kept.put('new', '')).rejects.toMatchObject({ code: 'KEPT_FULL' });
  await kept.put('1', 'changed');
  await close();
});

async function opened(path: string) {
  const log = await openLog(`sqlite:${path}`);
  return { kept: log.kept, close: () => log.close() };
}
