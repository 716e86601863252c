import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { openMemoryLog } from '../../packages/server/src/logs/memory/memory-log.js';
import { openSqliteLog } from '../../packages/server/src/logs/sqlite/sqlite-log.js';
import { describeEphemeral } from '../../packages/server/src/testing.js';

describeEphemeral(
  { describe, it },
  {
    name: 'memory',
    async create() {
      const log = openMemoryLog();
      return { log, dispose: () => log.close() };
    },
  },
);

describeEphemeral(
  { describe, it },
  {
    name: 'sqlite',
    async create() {
      const folder = mkdtempSync(join(tmpdir(), 'pregon-ephemeral-'));
      const path = join(folder, 'log.db');
      const handles = [await openSqliteLog(path)];
      const [log] = handles;
      if (!log) throw new Error('unreachable');
      return {
        log,
        async another() {
          const handle = await openSqliteLog(path);
          handles.push(handle);
          return handle;
        },
        async dispose() {
          for (const handle of handles) await handle.close();
          rmSync(folder, { recursive: true });
        },
      };
    },
  },
);
