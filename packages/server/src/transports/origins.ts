/**
 * Whether a page may connect (invariant 9). A browser names the page's origin, other programs name none and are no page.
 *
 * With origins configured, only those listed may. With none: pages from loopback addresses and from disk (whose origin is `null`, or
 * `file://` in Chromium's WebSocket handshakes) may, where the gateway was addressed by a loopback name too; so a page of some
 * site whose name was made to point to 127.0.0.1 may not.
 *
 * @param origin the `Origin` header (RFC 6454 section 7)
 * @param host the `Host` header
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowedOrigins: readonly string[] | undefined,
): boolean {
  if (origin === undefined) return true;
  if (allowedOrigins) return allowedOrigins.includes(origin);
  if (host === undefined || !isLoopback(hostnameOf(`http://${host}`))) return false;
  return origin === 'null' || origin === 'file://' || isLoopback(hostnameOf(origin));
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
