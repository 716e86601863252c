import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { Duplex } from 'node:stream';
import type { Refusal } from '../../core/ports/transport.js';
import type { RefusalLog } from '../../core/refusals/refusal-log.js';
import { guard } from '../sockets/guarded-socket.js';

/** Logs why a request was refused, see {@link RefusalLog}. */
export function logRefusal(
  log: RefusalLog,
  { headers, url }: Pick<IncomingMessage, 'headers' | 'url'>,
  refusal: Refusal,
): void {
  const { reason, message, remedy } = refusal;
  if (reason === undefined) return;
  // An origin is refused at every path, so one log line is enough.
  const subject = reason === 'origin' ? undefined : url?.split('?', 1)[0];
  log.tell({ reason, origin: headers.origin, subject, message, remedy });
}

/**
 * Refuses an upgrade request with problem details (RFC 9457). It writes to the raw socket, because node:http creates no
 * response for an upgrade.
 */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  guard(socket);
  const body = refusal.status === 204 ? '' : problemBody(refusal);
  const aboutBody = { 'Content-Type': PROBLEM_TYPE, 'Content-Length': Buffer.byteLength(body) };
  // RFC 9110 section 8.6: a 204 has no Content-Length.
  const headers = { Connection: 'close', ...(body === '' ? {} : aboutBody), ...refusal.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // The client may never close its side.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? 'Refused'}\r\n${lines.join('')}\r\n${body}`);
}

/** When the client may try again; undefined if the refusal does not say. */
export function retryAfterMs({ headers = {} }: Refusal): number | undefined {
  const seconds = headers['Retry-After'];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

/** Refuses a plain request with problem details (RFC 9457). */
export function refuseRequest(response: ServerResponse, refusal: Refusal, more: Record<string, string> = {}): void {
  const { status, headers } = refusal;
  const { Upgrade, ...known } = { ...more, ...headers };
  // HTTP/2 has no upgrades, and forbids both headers (RFC 9113 section 8.2.2). With HTTP/1, a client that asked for an
  // unsupported upgrade gets its connection closed, as if the upgrade itself had been refused.
  const isUpgrade = Upgrade !== undefined && response.req.httpVersionMajor === 1;
  const all = isUpgrade ? { ...known, Upgrade, Connection: 'close' } : known;
  if (status === 204) return void response.writeHead(204, all).end();
  response.writeHead(status, { 'Content-Type': PROBLEM_TYPE, ...all });
  response.end(problemBody(refusal));
}

/** The refusal of new clients while the gateway closes. It has no reason, so it is not logged. */
export const GOING_AWAY: Refusal = {
  status: 503,
  message: 'the gateway is going away',
  headers: { 'Retry-After': '1' },
};

/** The refusal of all methods other than this one. */
export function onlyMethod(method: 'GET' | 'POST'): Refusal {
  return { status: 405, reason: 'method', message: `only ${method} is allowed here`, headers: { Allow: method } };
}

export const ONLY_GET: Refusal = onlyMethod('GET');

const PROBLEM_TYPE = 'application/problem+json';

function problemBody({ status, message }: Refusal): string {
  return JSON.stringify({ status, title: message });
}

/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/**
 * The refusal of a handshake that `ws` would answer with 400 (RFC 6455, sections 4.2.1 and 4.4); undefined if the
 * handshake is valid.
 */
export function wrongHandshake(request: IncomingMessage): Refusal | undefined {
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
    return {
      status: 426,
      reason: 'handshake',
      message: 'the only supported upgrade is websocket',
      headers: { Upgrade: 'websocket' },
    };
  }
  if (request.headers['sec-websocket-version'] !== '13') {
    return {
      status: 426,
      reason: 'handshake',
      message: 'the only supported version of WebSocket is 13',
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    };
  }
  if (!KEY.test(request.headers['sec-websocket-key'] ?? '')) {
    return { status: 400, reason: 'handshake', message: 'Sec-WebSocket-Key is missing, or is not 16 bytes in base64' };
  }
  return undefined;
}

/** The stream to destroy so that this request ends and no other: in HTTP/2 many requests share a socket. */
export function carrierOf(request: IncomingMessage, response: ServerResponse): Duplex {
  const stream: unknown = Reflect.get(response, 'stream');
  return stream instanceof Duplex ? stream : request.socket;
}
