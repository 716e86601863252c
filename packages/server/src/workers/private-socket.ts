import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';

/** The shortest `sockaddr_un.sun_path` of the systems that Node runs on, without the NUL at its end. */
const MAX_SOCKET_PATH_BYTES = 103;

/** The socket on which a worker takes requests for its sessions from other workers. Only they may enter the folder. */
export function privateSocket(folder: string, worker: number): string {
  return join(folder, `${worker}.sock`);
}

/** @throws Error if the path is too long for a socket */
export function assertPath(path: string): void {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return;
  throw new Error(`${path} is too long for a socket: name a folder with a shorter path in TMPDIR`);
}

/**
 * Carries the client's address to the owner of its session. It is trusted only on the private socket, and removed from
 * requests from outside.
 */
const REMOTE_ADDRESS = 'x-pregon-remote-address';

/** Carries the version of HTTP that the client uses, in the same way: the workers speak HTTP/1.1 with each other. */
const HTTP_VERSION = 'x-pregon-http-version';

const OURS: ReadonlySet<string> = new Set([REMOTE_ADDRESS, HTTP_VERSION]);

/**
 * Hop-by-hop headers (RFC 9110 section 7.6.1), which the next connection sets itself; and `expect`, already answered.
 */
const OF_ONE_CONNECTION = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The headers of a request to another worker, as a flat list of names and values.
 *
 * @param upgrading whether the request is an upgrade, which needs `Connection` and `Upgrade`
 */
export function headersToOwner({ rawHeaders, socket, httpVersion }: IncomingMessage, upgrading: boolean): string[] {
  const headers = withoutHeaders(rawHeaders, (name) => !upgrading && OF_ONE_CONNECTION.has(name));
  return [...headers, REMOTE_ADDRESS, socket.remoteAddress ?? '', HTTP_VERSION, httpVersion];
}

/** The headers of an answer from another worker. */
export function headersFromOwner({ rawHeaders }: IncomingMessage): string[] {
  return withoutHeaders(rawHeaders, (name) => OF_ONE_CONNECTION.has(name));
}

/** Restores the client's address, and its version of HTTP, on a request that came over the private socket. */
export function restoreClient(request: IncomingMessage): void {
  const address = request.headers[REMOTE_ADDRESS];
  const version = request.headers[HTTP_VERSION];
  for (const name of OURS) delete request.headers[name];
  if (typeof version === 'string') request.httpVersion = version;
  request.rawHeaders = withoutHeaders(request.rawHeaders, () => false);
  // A connection between workers serves one request at a time, each from another client.
  Object.defineProperty(request.socket, 'remoteAddress', { value: address || undefined, configurable: true });
}

function withoutHeaders(rawHeaders: readonly string[], isLeftOut: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (!OURS.has(lower) && !isLeftOut(lower)) kept.push(name, value);
  }
  return kept;
}
