import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Why somebody is not let in: the HTTP answer. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  426: 'Upgrade Required',
  503: 'Service Unavailable',
};

/** Answers an upgrade request that is not accepted, on the bare socket that is all there is of it. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  const body = `${refusal.message}\n`;
  const headers = {
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...refusal.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // The client may never end its side.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_TEXTS[refusal.status] ?? 'Refused'}\r\n${lines.join('')}\r\n${body}`);
}

/** Answers a plain request that is not accepted, with problem details (RFC 9457). */
export function refuseRequest(
  response: ServerResponse,
  { status, message, headers }: Refusal,
  more: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/problem+json', ...more, ...headers });
  response.end(JSON.stringify({ status, title: message }));
}

/** What `ws` would answer with 400, in the words of RFC 6455 section 4.4. */
export function wrongHandshake(request: IncomingMessage): Refusal | undefined {
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
    return { status: 426, message: 'the only upgrade is to websocket', headers: { Upgrade: 'websocket' } };
  }
  if (request.headers['sec-websocket-version'] !== '13') {
    return {
      status: 426,
      message: 'the only version of WebSocket is 13',
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    };
  }
  return undefined;
}
