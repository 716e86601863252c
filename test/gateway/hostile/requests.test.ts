import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { appender, numbers, openTestLog } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';

/** As many requests as one read of a socket may hold. */
const PIPELINED = 2_000;

const head = (target: string) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

const REQUESTS: Readonly<Record<string, string>> = {
  'for a route': head('/events'),
  'for event streams': `GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`,
  'for no route': head('/nothing'),
  'for polling with an unknown session id': head('/socket.io/?EIO=4&transport=polling&sid=x'),
  'for polling without a session': head('/socket.io/?EIO=4&transport=polling'),
};

describe('Thousands of requests in one write', () => {
  it.each(Object.entries(REQUESTS))(
    '[fault A7] %s close their connection after at most 64 answers',
    async (_, request) => {
      const file = `${temporaryFolder()}/log.db`;
      const append = appender(await openTestLog(file));
      const gateway = await GatewayProcess.start({ log: `sqlite:${file}` });
      const healthy = await PlainClient.open(gateway.ws('/events'));
      for (let n = 0; n < 20; n++) {
        const raw = await RawSocket.open(gateway.port);
        raw.write(request.repeat(PIPELINED));
        await raw.whenEnded();
        expect(raw.text.split(/^HTTP\/1\.1 /m).length - 1).toBeLessThanOrEqual(64);
      }
      await append(3);
      expect(await healthy.numbers(3)).toEqual(numbers(1, 3));
    },
  );
});
