import { afterAll, beforeAll, describe, it } from 'vitest';
import { openRabbitLog, type RabbitLog } from '../../packages/server/src/logs/rabbitmq/rabbitmq-log.js';
import { describeEphemeral } from '../../packages/server/src/testing.js';
import { createVirtualHost, describeWithBroker } from '../support/rabbitmq.js';

describeWithBroker('Ephemeral messages on RabbitMQ', () => {
  let vhost: Awaited<ReturnType<typeof createVirtualHost>>;
  let streams = 0;

  beforeAll(async () => {
    vhost = await createVirtualHost();
  });
  afterAll(() => vhost.drop());

  describeEphemeral(
    { describe, it },
    {
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
    },
  );
});
