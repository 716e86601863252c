import { createGateway, type Gateway } from 'pregon';
import { answer } from '../processes/answer.js';
import { textOf } from '../processes/messages.js';

/** No ping within a run. The client compares bytes, so the gateway must send the same bytes to all connections. */
const HEARTBEAT_MS = 3_600_000;

let gateway: Gateway | undefined;

answer({
  /** Starts a complete gateway on the log at `log`, with the routes `/plain` and `/compressed`. */
  async listen(fields) {
    gateway = await createGateway({
      log: textOf(fields, 'log'),
      exchanges: ['bench'],
      heartbeatMs: HEARTBEAT_MS,
      routes: { plain: { path: '/plain' }, compressed: { path: '/compressed', compression: true } },
    });
    const { port } = await gateway.listen({ port: 0 });
    return { port };
  },
  connections() {
    const { routes = [] } = gateway ?? {};
    return { count: routes.reduce((sum, { connections }) => sum + connections.count, 0) };
  },
});
