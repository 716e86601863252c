import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { BoundedMap } from '../core/bounded-map.js';

/** Cache of hostnames by URL. Clients address a gateway by a few names and come from pages of a few origins. */
const hostnames = new BoundedMap<string, string>(200);
const LONGEST_KEPT = 300;

export type HostHeaders = Readonly<IncomingHttpHeaders> & { readonly ':authority'?: unknown };

/** The host of a request. HTTP/2 sends it as a pseudo-header (RFC 9113 section 8.3.1). */
export function hostOf({ host, ':authority': authority }: HostHeaders): string | undefined {
  return host ?? (typeof authority === 'string' ? authority : undefined);
}

/** The hostname of a URL; undefined if the URL is not valid. */
export function hostnameOf(url: string): string | undefined {
  const known = hostnames.get(url);
  if (known !== undefined) return known;
  if (!URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  if (url.length <= LONGEST_KEPT) hostnames.set(url, hostname);
  return hostname;
}

/** The name by which a request addresses the gateway, without the port; undefined if it has no valid one. */
export function hostnameIn(headers: HostHeaders): string | undefined {
  const host = hostOf(headers);
  return host === undefined ? undefined : hostnameOf(`http://${host}`);
}

/** Names that never leave the machine: RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3. */
export function isLoopback(hostname: string | undefined): boolean {
  if (hostname === undefined) return false;
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}

/** @param address as a socket reports it, which includes IPv4-mapped IPv6 addresses (RFC 4291 section 2.5.5.2) */
export function isLoopbackAddress(address: string): boolean {
  const bare = address.replace(/^::ffff:/i, '');
  return isLoopback(isIP(bare) === 6 ? `[${bare}]` : isIP(bare) === 4 ? bare : undefined);
}
