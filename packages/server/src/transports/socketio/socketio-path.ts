import type { IncomingMessage } from 'node:http';
import { type Claim, claimBelow } from '../http/claim.js';
import { rawPath } from '../http/query.js';

/** Completes a request target to a URL. */
const ANY_ORIGIN = 'https://socket.io';

/**
 * The path at which Socket.IO is served.
 *
 * @param path with or without slashes at its ends. Default: '/socket.io'
 * @returns the path with a leading slash and without a trailing one: `/socket.io`
 */
export function socketIoPath(path = '/socket.io'): string {
  return `/${path.replaceAll(/^\/|\/$/g, '')}`;
}

/** The builds of Socket.IO's client that its server serves, and their source maps. */
const CLIENT_SCRIPT = /^socket\.io(\.esm|\.msgpack)?(\.min)?\.js(\.map)?$/;

/**
 * The id of the session that a request target names, read as Engine.IO reads it: names are decoded, the last one counts,
 * and a fragment is no part of the query. An empty id begins a session.
 */
export function sessionIdOf(target = '/'): string | undefined {
  // Most requests have no such name, however it is encoded: nothing is parsed for them.
  if (!/sid|%/.test(target) || !URL.canParse(target, ANY_ORIGIN)) return undefined;
  return new URL(target, ANY_ORIGIN).searchParams.getAll('sid').at(-1);
}

/** The request targets that belong to Socket.IO. */
export class SocketIoTargets {
  readonly path: string;
  /** The prefix of all these targets. */
  readonly prefix: string;

  constructor({ path, addTrailingSlash }: { path?: string; addTrailingSlash?: boolean }) {
    this.path = socketIoPath(path);
    this.prefix = addTrailingSlash === false ? this.path : `${this.path}/`;
  }

  get claims(): readonly Claim[] {
    return [claimBelow(this.path)];
  }

  /** Compares as Socket.IO does: it does not answer other requests. */
  includes(target: string | undefined): boolean {
    if (!target?.startsWith(this.prefix)) return false;
    const path = rawPath(target);
    return path === this.path || path.startsWith(`${this.path}/`);
  }

  /** Whether the request is for the client script, which is public. */
  areForClientScript({ method, url = '/' }: Pick<IncomingMessage, 'method' | 'url'>): boolean {
    if (method !== 'GET' || !url.startsWith(this.prefix)) return false;
    return CLIENT_SCRIPT.test(url.slice(this.path.length + 1).replace(/\?.*$/, ''));
  }
}
