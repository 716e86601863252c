import { answer } from '../processes/answer.js';
import { startWsService, type WsService } from './ws-service.js';

let service: WsService | undefined;

/** The service on `ws` without log lines. */
answer({
  async listen() {
    service = await startWsService({ closed: () => {} });
    return { port: service.port };
  },
  connections() {
    return { count: service?.count ?? 0 };
  },
});
