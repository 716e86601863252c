import { afterAll, beforeAll } from 'vitest';
import { openRabbitLog, type RabbitLog } from '../../packages/server/src/logs/rabbitmq/rabbitmq-log.js';
import { createVirtualHost, describeWithBroker } from '../support/rabbitmq.js';
import { describeEphemeral } from './ephemeral.contract.js';

describeWithBroker('RabbitMQ', () => {
  let vhost: Awaited<ReturnType<typeof createVirtualHost>>;
  let streams = 0;

  beforeAll(async () => {
    vhost = await createVirtualHost();
  });
  afterAll(() => vhost.drop());

  describeEphemeral({
    name: 'rabbitmq',
    countsAll: false,
    async create() {
      streams += 1;
      const url = `${vhost.url}?stream=ephemeral-${streams}`;
      const handles: RabbitLog[] = [];
      const open = async () => {
        const log = await openRabbitLog(url);
        handles.push(log);
        return log;
      };
      return {
        log: await open(),
        another: open,
        async dispose() {
          for (const handle of handles) await handle.close();
        },
      };
    },
  });
});
