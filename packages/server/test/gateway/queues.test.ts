import { expect, it } from 'vitest';
import { createGateway } from '../../src/gateway/create-gateway.js';
import { openMemoryLog } from '../../src/logs/memory/memory-log.js';

it('a queue on a log without queues is refused with a remedy, and the gateway does not start', async () => {
  const log = await openMemoryLog();
  const starting = createGateway({
    log,
    routes: { events: { path: '/events' } },
    subscribers: [{ events: ['*'], handle() {} }],
    queues: [{ exchange: 'my_events', queue: 'workers' }],
  });
  await expect(starting).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/no queues.*RabbitMQ/),
  });
  await log.close();
});
