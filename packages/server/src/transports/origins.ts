import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { Refusal } from './refusal.js';

type OriginHeaders = Pick<IncomingHttpHeaders, 'origin' | 'host' | 'upgrade'>;

/**
 * Whether a request may connect, as far as it may be a page's (invariant 9).
 *
 * A browser names the page's origin in each WebSocket handshake, and in each other request to another origin than the page's own. With
 * origins configured, only those listed may. With none: pages from loopback addresses and from disk (whose origin is `null`, or
 * `file://` in Chromium's WebSocket handshakes) may, where the gateway was addressed by a loopback name too; so a page of some
 * site whose name was made to point to 127.0.0.1 may not.
 *
 * A request without an origin is a program's, or a page's plain GET of its own origin: which that is, only the `Host` tells. So a plain
 * GET must address the gateway by a name that is no foreign page's.
 *
 * @param headers `Origin` (RFC 6454 section 7), `Host`, and `Upgrade`, which no page can set
 */
export function isOriginAllowed(
  { origin, host, upgrade }: OriginHeaders,
  allowedOrigins: readonly string[] | undefined,
): boolean {
  const hostname = host === undefined ? undefined : hostnameOf(`http://${host}`);
  if (origin === undefined) return upgrade !== undefined || host === undefined || isOwn(hostname, allowedOrigins);
  if (allowedOrigins) return allowedOrigins.includes(origin);
  return isLoopback(hostname) && (origin === 'null' || origin === 'file://' || isLoopback(hostnameOf(origin)));
}

/** The answer to who may not connect; undefined for those who may. */
export function refuseOrigin(
  headers: OriginHeaders,
  allowedOrigins: readonly string[] | undefined,
): Refusal | undefined {
  if (isOriginAllowed(headers, allowedOrigins)) return undefined;
  const who =
    headers.origin === undefined ? `whoever asks for ${headers.host}` : `pages of the origin ${headers.origin}`;
  return { status: 403, message: `${who} may not connect; see allowedOrigins` };
}

/** An address, which nobody can make point elsewhere; a loopback name; or the host of an allowed origin. */
function isOwn(hostname: string | undefined, allowedOrigins: readonly string[] = []): boolean {
  if (hostname === undefined) return false;
  if (isLoopback(hostname) || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return true;
  return allowedOrigins.some((allowed) => hostnameOf(allowed) === hostname);
}

function hostnameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

/** Names that never leave the machine: RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3. */
function isLoopback(hostname: string | undefined): boolean {
  if (hostname === undefined) return false;
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}
