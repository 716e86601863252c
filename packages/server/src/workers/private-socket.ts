import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';

/** The shortest `sockaddr_un.sun_path` of the systems that Node runs on, without the NUL at its end. */
const MAX_SOCKET_PATH_BYTES = 103;

/** Where a worker takes what belongs to its sessions from the other workers, in the folder that they alone may enter. */
export function privateSocket(folder: string, worker: number): string {
  return join(folder, `${worker}.sock`);
}

/** @throws Error where no socket can have this path */
export function assertPath(path: string): void {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return;
  throw new Error(`${path} is too long for a socket: name a folder with a shorter path in TMPDIR`);
}

/** Carries the client's address to the owner of its session. Believed on the private socket alone, and never passed on from outside. */
const REMOTE_ADDRESS = 'x-pregon-remote-address';

/** Headers of one connection, which the next one has of its own (RFC 9110 section 7.6.1), and what the answer to was given already. */
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

/** The headers of a request to another worker, as a flat list of names and values. @param upgrading whether it asks for an upgrade, for which `Connection` is needed */
export function headersToOwner({ rawHeaders, socket }: IncomingMessage, upgrading: boolean): string[] {
  const headers = withoutHeaders(rawHeaders, (name) => !upgrading && OF_ONE_CONNECTION.has(name));
  return [...headers, REMOTE_ADDRESS, socket.remoteAddress ?? ''];
}

/** The headers of an answer that another worker gave. */
export function headersFromOwner({ rawHeaders }: IncomingMessage): string[] {
  return withoutHeaders(rawHeaders, (name) => OF_ONE_CONNECTION.has(name));
}

/** Makes a request that came by the private socket what it was where the client sent it. */
export function restoreRemoteAddress(request: IncomingMessage): void {
  const address = request.headers[REMOTE_ADDRESS];
  delete request.headers[REMOTE_ADDRESS];
  request.rawHeaders = withoutHeaders(request.rawHeaders, () => false);
  // A connection between workers serves one request at a time, each of another client.
  Object.defineProperty(request.socket, 'remoteAddress', { value: address || undefined, configurable: true });
}

function withoutHeaders(rawHeaders: readonly string[], isLeftOut: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (lower !== REMOTE_ADDRESS && !isLeftOut(lower)) kept.push(name, value);
  }
  return kept;
}
