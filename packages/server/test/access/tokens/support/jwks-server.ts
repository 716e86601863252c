import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { afterTest } from '../../../../../../test/support/cleanup.js';
import type { TestIssuer } from './issuers.js';

/** A real HTTP server with a key set, on this machine. The test sets what it answers. */
export async function jwksServer(...issuers: readonly TestIssuer[]) {
  const served = { requests: 0, url: '', answer: answerWith(...issuers) };
  const server = createServer((request, response) => {
    served.requests += 1;
    served.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  served.url = `http://127.0.0.1:${address.port}/jwks.json`;
  return served;
}

/** Answers with the public keys of the issuers. */
export function answerWith(...issuers: readonly TestIssuer[]): RequestListener {
  return answerJson({ keys: issuers.map(({ publicJwk }) => publicJwk) });
}

export function answerJson(value: unknown): RequestListener {
  return (_, response) => void send(response, JSON.stringify(value));
}

export function send(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}
