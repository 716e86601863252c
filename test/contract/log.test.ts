import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { Log, LogOptions } from '../../packages/server/src/core/log.js';
import { openMemoryLog } from '../../packages/server/src/log/memory.js';
import { openRabbitLog } from '../../packages/server/src/log/rabbitmq/rabbitmq-log.js';
import { openSqliteLog } from '../../packages/server/src/log/sqlite.js';
import { createVirtualHost, deleteQueues, describeWithBroker } from '../support/rabbitmq.js';
import { describeLog, type LogSubject } from './log.contract.js';

describeLog({
  name: 'memory',
  capabilities: { another: false, trim: true, replace: true, anyExchange: true },
  async create(options) {
    const log = openMemoryLog(options);
    return {
      log,
      another: () => Promise.reject(new Error('a memory log has one handle')),
      trim: async (maxCount) => void (await log.trim({ maxCount })),
      replace: async () => log.replace(),
      dispose: () => log.close(),
    };
  },
});

describeLog({
  name: 'sqlite',
  capabilities: { another: true, trim: true, replace: true, anyExchange: true },
  create: createSqlite,
});

describeWithBroker('with a broker', () => {
  // The suite names its exchanges itself: a virtual host keeps them apart from those of others.
  let vhost: Awaited<ReturnType<typeof createVirtualHost>>;
  let streams = 0;

  beforeAll(async () => {
    vhost = await createVirtualHost();
  });
  afterAll(() => vhost.drop());

  describeLog({
    name: 'rabbitmq',
    // A stream drops whole segments, so it cannot be made to keep a number of entries: see packages/server/test/rabbitmq.
    capabilities: { another: true, trim: false, replace: true, anyExchange: false },
    async create(options) {
      streams += 1;
      return createRabbit(vhost.url, `log-${streams}`, options);
    },
  });
});

async function createRabbit(vhost: string, stream: string, options?: LogOptions): Promise<LogSubject> {
  const url = `${vhost}?stream=${stream}`;
  const log = await openRabbitLog(url, options);
  const handles: Log[] = [log];
  return {
    log,
    async another(others) {
      const handle = await openRabbitLog(url, others);
      handles.push(handle);
      return handle;
    },
    trim: () => Promise.reject(new Error('a stream cannot be trimmed')),
    replace: () => deleteQueues(vhost, [stream]),
    async dispose() {
      for (const handle of handles) await handle.close();
      await deleteQueues(vhost, [stream]);
    },
  };
}

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
