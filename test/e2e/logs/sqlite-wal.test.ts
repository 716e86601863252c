import { statSync } from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';
import { openLog } from 'pregon';
import { expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { keepCollectionsWhole } from '../../support/collections.js';
import { numbered } from '../../support/log/events.js';
import { eventually } from '../../support/waiting.js';

keepCollectionsWhole();

const MEGABYTE = 1_048_576;

it('[fault F4] The write-ahead log of SQLite is truncated when a long reader has gone', async () => {
  const path = join(temporaryFolder(), 'log.db');
  const warnings: string[] = [];
  const log = await openLog(`sqlite:${path}`, { onWarning: ({ message }) => warnings.push(message) });
  afterTest(() => log.close());
  const reader = new Libsql(path);
  afterTest(() => reader.close());
  const walBytes = () => statSync(`${path}-wal`).size;

  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM entry').get();
  for (let i = 0; i < 60; i++) await log.append([numbered(i, { data: 'x'.repeat(MEGABYTE / 2) })]);
  expect(walBytes()).toBeGreaterThan(24 * MEGABYTE);
  reader.exec('COMMIT');

  await eventually(walBytes, (bytes) => bytes === 0);
  // The log still accepts events, and keeps those that it held.
  await log.append([numbered(60)]);
  expect(await log.info()).toMatchObject({ count: 61 });
  expect(warnings).toEqual([]);
});
