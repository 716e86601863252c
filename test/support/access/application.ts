import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterTest } from '../cleanup.js';

/** An application that is asked who a client is, and the requests that it got. */
export class Application {
  readonly requests: IncomingMessage[] = [];
  answer: RequestListener = (request, response) => {
    const [, sub] = /session=([a-z]+)/.exec(request.headers.cookie ?? '') ?? [];
    if (sub === undefined) response.writeHead(204).end();
    else response.end(JSON.stringify({ sub, claims: { role: 'member' } }));
  };
  url = '';

  static async start(): Promise<Application> {
    const application = new Application();
    const server = createServer((request, response) => {
      application.requests.push(request);
      return application.answer(request, response);
    });
    afterTest(() => {
      server.close();
      server.closeAllConnections();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address: AddressInfo | string | null = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the server has a port');
    application.url = `http://127.0.0.1:${address.port}/pregon/access`;
    return application;
  }

  /** Answers each request with this status and body. */
  answers(status: number, body = '', headers: Record<string, string> = {}): void {
    this.answer = (_request, response) => response.writeHead(status, headers).end(body);
  }
}
