import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import { PREGON_GATEWAY, PregonIoAdapter, PregonModule, PregonPublisher } from '@pregon/nest';
import type { Gateway } from 'pregon';
import { expect, it } from 'vitest';
import { afterTest } from '../../../test/support/cleanup.js';
import { SocketIoClient } from '../../../test/support/gateway/socketio-client.js';
import { gatewayOptions } from './support/apps.js';
import { values } from './support/values.js';

it('[002-08] PregonModule works in a testing module, and its providers can be injected and replaced', async () => {
  const pregon = PregonModule.forRoot(gatewayOptions());
  const testing = await Test.createTestingModule({ imports: [pregon] }).compile();
  const app = testing.createNestApplication({ logger: false });
  afterTest(() => app.close());
  app.useWebSocketAdapter(new PregonIoAdapter(app));
  await app.listen(0, '127.0.0.1');
  const client = await SocketIoClient.open(`${await app.getUrl()}/events`);
  await testing
    .get(PregonPublisher)
    .publish({ exchange: 'x', topic: 't', type: 'LampWasLit', source: '/nest', data: { id: 1 } });
  expect(await values(client, 'LampWasLit', 1)).toMatchObject([{ data: { id: 1 } }]);
  expect(testing.get<Gateway>(PREGON_GATEWAY).routes).toHaveLength(1);

  const silent = { publish: () => Promise.resolve('nothing') };
  const replaced = await Test.createTestingModule({ imports: [PregonModule.forRoot(gatewayOptions())] })
    .overrideProvider(PregonPublisher)
    .useValue(silent)
    .compile();
  afterTest(() => replaced.close());
  expect(replaced.get(PregonPublisher)).toBe(silent);
});
