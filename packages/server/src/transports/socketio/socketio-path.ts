import type { IncomingMessage } from 'node:http';
import { type Claim, claimBelow } from '../http/claim.js';
import { rawPath } from '../http/query.js';

/**
 * Where Socket.IO is served on a port.
 *
 * @param path with or without slashes at its ends. @default '/socket.io'
 * @returns `/socket.io`
 */
export function socketIoPath(path = '/socket.io'): string {
  return `/${path.replaceAll(/^\/|\/$/g, '')}`;
}

/** The builds of Socket.IO's client, which its server hands out, and their source maps. */
const CLIENT_SCRIPT = /^socket\.io(\.esm|\.msgpack)?(\.min)?\.js(\.map)?$/;

/** The request targets that are Socket.IO's. */
export class SocketIoTargets {
  readonly path: string;
  /** What they begin with. */
  readonly prefix: string;

  constructor({ path, addTrailingSlash }: { path?: string; addTrailingSlash?: boolean }) {
    this.path = socketIoPath(path);
    this.prefix = addTrailingSlash === false ? this.path : `${this.path}/`;
  }

  get claims(): readonly Claim[] {
    return [claimBelow(this.path)];
  }

  /** As Socket.IO looks at it itself: what it does not take, it does not answer. */
  includes(target: string | undefined): boolean {
    if (!target?.startsWith(this.prefix)) return false;
    const path = rawPath(target);
    return path === this.path || path.startsWith(`${this.path}/`);
  }

  /** Whether the client script is asked for, which is public. */
  areForClientScript({ method, url = '/' }: Pick<IncomingMessage, 'method' | 'url'>): boolean {
    if (method !== 'GET' || !url.startsWith(this.prefix)) return false;
    return CLIENT_SCRIPT.test(url.slice(this.path.length + 1).replace(/\?.*$/, ''));
  }
}
