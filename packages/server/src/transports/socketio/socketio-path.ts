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
}
