import { isIP } from 'node:net';
import { UsageError } from '../usage-error.js';

export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 1234;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `[HOST:]PORT`: `1234`, `0.0.0.0:1234`, `localhost:1234`, `[::1]:1234`.
 *
 * @throws UsageError
 */
export function parseListenAddress(text: string | undefined): ListenAddress {
  if (text === undefined) return { host: DEFAULT_HOST, port: DEFAULT_PORT };
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text);
  const [, ipv6, name, digits = ''] = match ?? [];
  const port = Number(digits);
  if (!match || port > 65_535 || (ipv6 !== undefined && isIP(ipv6) !== 6)) {
    throw new UsageError(
      `"${text}" is not an address to listen on: use [HOST:]PORT, such as 1234, 0.0.0.0:1234 or [::1]:1234`,
    );
  }
  return { host: ipv6 ?? name ?? DEFAULT_HOST, port };
}

/** The base URL for clients on this host. An address of all interfaces becomes `localhost`. */
export function baseUrl(scheme: string, { host, port }: ListenAddress): string {
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : isIP(host) === 6 ? `[${host}]` : host;
  return `${scheme}://${reachable}:${port}`;
}
