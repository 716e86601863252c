import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import type { Log, LogOptions } from '../../packages/server/src/core/ports/log.js';
import { openMemoryLog } from '../../packages/server/src/logs/memory/memory-log.js';
import { openSqliteLog } from '../../packages/server/src/logs/sqlite/sqlite-log.js';
import { describeLog, type LogSubject } from '../../packages/server/src/testing.js';

describeLog(
  { describe, it },
  {
    name: 'memory',
    capabilities: { trim: true, replace: true },
    async create(options) {
      const log = openMemoryLog(options);
      return {
        log,
        trim: async (maxCount) => void (await log.trim({ maxCount })),
        replace: async () => log.replace(),
        dispose: () => log.close(),
      };
    },
  },
);

describeLog(
  { describe, it },
  {
    name: 'sqlite',
    capabilities: { another: true, durable: true, trim: true, replace: true },
    create: createSqlite,
  },
);

async function createSqlite(options?: LogOptions): Promise<LogSubject> {
  const folder = mkdtempSync(join(tmpdir(), 'pregon-log-'));
  const path = join(folder, 'data', 'log.db');
  const log = await openSqliteLog(path, options);
  const handles: Log[] = [log];
  return {
    log,
    async another(others) {
      const handle = await openSqliteLog(path, others);
      handles.push(handle);
      return handle;
    },
    async reopen() {
      for (const handle of handles.splice(0)) await handle.close();
      const handle = await openSqliteLog(path, options);
      handles.push(handle);
      return handle;
    },
    trim: async (maxCount) => void (await log.trim({ maxCount })),
    async replace() {
      const next = await openSqliteLog(`${path}.next`, options);
      await next.close();
      renameSync(`${path}.next`, path);
    },
    async dispose() {
      for (const handle of handles) await handle.close();
      rmSync(folder, { recursive: true });
    },
  };
}
