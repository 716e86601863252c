import { createGateway, type Gateway } from 'pregon';
import { answer } from '../processes/answer.js';
import { numberOf, textOf } from '../processes/messages.js';

let gateway: Gateway | undefined;

answer({
  /** Starts a complete gateway on the log at `log`. */
  async listen(fields) {
    gateway = await createGateway({
      log: textOf(fields, 'log'),
      exchanges: [fields['exchange'] === undefined ? 'bench' : textOf(fields, 'exchange')],
      flushIntervalMs: fields['flushIntervalMs'] === undefined ? 0 : numberOf(fields, 'flushIntervalMs'),
      routes: { events: { path: '/events' } },
    });
    const { port } = await gateway.listen({ port: 0 });
    return { port };
  },
  connections() {
    return { count: gateway?.connections('events').count ?? 0 };
  },
});
