import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerUnderWay, readAnew } from '../../private-fields/node-http.js';
import { refuseUpgrade } from '../../transports/http/refusal.js';
import { guard } from '../../transports/sockets/guarded-socket.js';
import type { AttachableServer } from './attachable-server.js';

/** Node.js drops further headers without notice, unless the server's `maxHeadersCount` says otherwise. */
const MAX_HEADERS = 1_000;

/** Headers that concern only the upgrade. */
const OF_UPGRADE = new Set(['upgrade', 'http2-settings']);

/** Whether a request asks for WebSocket, the only upgrade that is supported. */
export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Serves a request as if it had not asked for an upgrade, which a server may do (RFC 9110 section 7.8): `Upgrade: h2c`
 * of curl and of Java's HttpClient, `Upgrade: TLS/1.0`. If there is a listener for `upgrade`, Node.js emits that event
 * for all such requests and stops parsing. So the request, without the headers of the upgrade, is put back in front of
 * the bytes that follow, and the server reads the connection again. Bodies, pipelined requests and keep-alive then work
 * as usual.
 *
 * @param head the bytes that were read after the request's headers
 * @see docs/decisions/0010-other-upgrades.md
 */
export function ignoreUpgrade(server: AttachableServer, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  guard(socket);
  const earlier = answerUnderWay(socket);
  // The response to an earlier pipelined request comes first.
  if (earlier) return void earlier.once('close', () => ignoreUpgrade(server, request, socket, head));
  if (socket.destroyed) return;
  // The length of the body might be among the dropped headers: then the body would be read as the next request.
  if (headerCount(request) >= maxHeaders(server)) {
    return refuseUpgrade(socket, { status: 431, message: 'too many headers' });
  }
  socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]));
  if (!readAnew(server, socket)) socket.destroy();
}

function headerCount({ rawHeaders }: IncomingMessage): number {
  return rawHeaders.length / 2;
}

function maxHeaders(server: AttachableServer): number {
  const limit: unknown = Reflect.get(server, 'maxHeadersCount');
  if (typeof limit !== 'number') return MAX_HEADERS;
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
}

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const kept = name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value;
    if (!OF_UPGRADE.has(name.toLowerCase()) && kept !== undefined) lines.push(`${name}: ${kept}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** The value of `Connection` without the names of the removed headers; undefined if nothing is left. */
function withoutUpgrade(value: string): string | undefined {
  const names = value.split(',').map((name) => name.trim());
  const kept = names.filter((name) => name !== '' && !OF_UPGRADE.has(name.toLowerCase()));
  return kept.length === 0 ? undefined : kept.join(', ');
}
