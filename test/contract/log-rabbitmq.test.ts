import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Log, LogOptions } from '../../packages/server/src/core/ports/log.js';
import { openRabbitLog } from '../../packages/server/src/logs/rabbitmq/rabbitmq-log.js';
import { describeLog, type LogSubject } from '../../packages/server/src/testing.js';
import { createVirtualHost, deleteQueues, describeWithBroker } from '../support/rabbitmq.js';

describeWithBroker('A log on RabbitMQ', () => {
  // The suite names its exchanges itself, so a virtual host keeps them apart from those of other tests.
  let vhost: Awaited<ReturnType<typeof createVirtualHost>>;
  let streams = 0;

  beforeAll(async () => {
    vhost = await createVirtualHost();
  });
  afterAll(() => vhost.drop());

  describeLog(
    { describe, it },
    {
      name: 'rabbitmq',
      // A stream drops whole segments, so it cannot be made to keep an exact number of entries: see
      // packages/server/test/rabbitmq.
      capabilities: { another: true, durable: true, replace: true },
      async create(options) {
        streams += 1;
        return createRabbit(vhost.url, `log-${streams}`, options);
      },
    },
  );
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
    async reopen() {
      for (const handle of handles.splice(0)) await handle.close();
      const handle = await openRabbitLog(url, options);
      handles.push(handle);
      return handle;
    },
    replace: () => deleteQueues(vhost, [stream, `${stream}.keys`]),
    async dispose() {
      for (const handle of handles) await handle.close();
      await deleteQueues(vhost, [stream, `${stream}.keys`]);
    },
  };
}
