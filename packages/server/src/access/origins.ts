import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { BoundedMap } from '../core/bounded-map.js';
import type { Admission, AdmissionRequest, Refusal } from '../core/ports/admission.js';

/** Cache of hostnames by URL. Clients address a gateway by a few names and come from pages of a few origins. */
const hostnames = new BoundedMap<string, string>(200);
const LONGEST_KEPT = 300;

type OriginHeaders = Readonly<IncomingHttpHeaders> & { readonly ':authority'?: unknown };

/**
 * Decides by origin whether a request may connect (invariant 9).
 *
 * A browser sends the page's origin with each WebSocket handshake, and with each other cross-origin request. If origins
 * are configured, only those are allowed. Otherwise, pages from loopback addresses and from disk are allowed, but only
 * if the client addressed the gateway by a loopback name. So a page of a site whose name was made to point to 127.0.0.1
 * is refused. The origin of pages from disk is `null`, or `file://` in Chromium's WebSocket handshakes.
 *
 * A request without an origin comes from a program, or from a browser as a page's plain GET to its own origin. A
 * program may use any host name. A browser must address the gateway by a name that no other site's page can have (DNS
 * rebinding).
 *
 * @param headers `Origin` (RFC 6454 section 7), `Host`, `Upgrade`, which no page can set, and the headers that
 *   distinguish a browser from a program
 */
export function isOriginAllowed(headers: OriginHeaders, allowedOrigins: readonly string[] | undefined): boolean {
  const { origin, upgrade } = headers;
  const host = hostOf(headers);
  const hostname = host === undefined ? undefined : hostnameOf(`http://${host}`);
  if (origin === undefined) {
    return upgrade !== undefined || host === undefined || !isFromBrowser(headers) || isOwn(hostname, allowedOrigins);
  }
  if (allowedOrigins) return allowedOrigins.includes(origin);
  return isLoopback(hostname) && (origin === 'null' || origin === 'file://' || isLoopback(hostnameOf(origin)));
}

/** Whether pages of many sites share the origin: sandboxed frames, and pages from disk. They never have credentials. */
export function isNamelessOrigin(origin: string): boolean {
  return origin === 'null' || origin === 'file://';
}

/** Admits pages of the allowed origins, and all programs. */
export class Origins implements Admission {
  readonly name = 'origins';
  readonly #allowed: readonly string[] | undefined;

  /** @param allowedOrigins as browsers send them. Default: pages from loopback addresses and from disk */
  constructor(allowedOrigins: readonly string[] | undefined) {
    this.#allowed = allowedOrigins;
  }

  allows(headers: OriginHeaders): boolean {
    return isOriginAllowed(headers, this.#allowed);
  }

  admit({ headers }: Pick<AdmissionRequest, 'headers'>): Refusal | undefined {
    return this.refusal(headers);
  }

  refusal(headers: OriginHeaders): Refusal | undefined {
    if (this.allows(headers)) return undefined;
    const { origin } = headers;
    const host = hostOf(headers);
    const pages = origin === undefined ? `browsers that ask for ${host}` : `pages of the origin ${origin}`;
    return {
      status: 403,
      reason: 'origin',
      message: `${pages} may not connect; see allowedOrigins`,
      remedy: originRemedy(origin, host, this.#allowed),
    };
  }
}

/**
 * No single header is enough. Browsers send `Sec-Fetch-*` only to trustworthy addresses, which a rebound `http:` name
 * is not. Some browsers let a page choose its `User-Agent`. But each browser adds `Accept-Language` if the page sets
 * none, and no page can remove it.
 */
function isFromBrowser(headers: OriginHeaders): boolean {
  if (headers['accept-language'] !== undefined || headers['user-agent']?.startsWith('Mozilla/')) return true;
  return Object.keys(headers).some((name) => name.startsWith('sec-fetch-'));
}

/** HTTP/2 sends the host as a pseudo-header (RFC 9113 section 8.3.1). */
function hostOf({ host, ':authority': authority }: OriginHeaders): string | undefined {
  return host ?? (typeof authority === 'string' ? authority : undefined);
}

/**
 * Whether a hostname is an IP address, which DNS cannot redirect, a loopback name, or the host of an allowed origin.
 */
function isOwn(hostname: string | undefined, allowedOrigins: readonly string[] = []): boolean {
  if (hostname === undefined) return false;
  if (isLoopback(hostname) || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return true;
  return allowedOrigins.some((allowed) => hostnameOf(allowed) === hostname);
}

function hostnameOf(url: string): string | undefined {
  const known = hostnames.get(url);
  if (known !== undefined) return known;
  if (!URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  if (url.length <= LONGEST_KEPT) hostnames.set(url, hostname);
  return hostname;
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

/**
 * What the operator can do to admit pages of an origin. An invalid origin, which only a client other than a browser can
 * send, is not suggested as a setting.
 *
 * @param host the host of the request, by which the client addressed the gateway
 */
function originRemedy(
  origin: string | undefined,
  host: string | undefined,
  allowedOrigins: readonly string[] | undefined,
): string {
  if (origin === 'null' || origin === 'file://') {
    return `serve the page by HTTP, or allow the origin ${JSON.stringify(origin)}, which sandboxed frames of any site share`;
  }
  const wanted = origin ?? `http://${host}`;
  if (!URL.canParse(wanted) || new URL(wanted).origin !== wanted) {
    return 'browsers send no such origin, so there is nothing to allow';
  }
  const alone = allowedOrigins ? '' : '; origins of pages on this machine must then be added as well';
  return `to admit it, run the gateway with --allowed-origin=${wanted}, or add '${wanted}' to allowedOrigins (in pregon.yml: under websocket)${alone}`;
}
