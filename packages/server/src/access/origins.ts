import { isIP } from 'node:net';
import { SUBPROTOCOL } from '@pregon/protocol';
import type { Admission, AdmissionRequest, Refusal } from '../core/ports/admission.js';
import { type HostHeaders, hostnameIn, hostnameOf, hostOf, isLoopback } from './hosts.js';

/**
 * Decides by origin whether a request may connect (invariant 9).
 *
 * A browser sends the page's origin with each WebSocket handshake, and with each other cross-origin request. If origins
 * are configured, only those are allowed. Otherwise, pages from loopback addresses and from disk are allowed, but only
 * if the client addressed the gateway by a loopback name. So a page of a site whose name was made to point to 127.0.0.1
 * is refused. Chromium sends `file://` for pages from disk in WebSocket handshakes. The origin `null` is never allowed
 * by default: Firefox sends it for pages from disk, but each browser sends it for sandboxed frames of any site.
 *
 * A request without an origin comes from a program, or from a browser as a page's plain GET to its own origin. A
 * program may use any host name. A browser must address the gateway by a name that no other site's page can have (DNS
 * rebinding).
 *
 * @param headers `Origin` (RFC 6454 section 7), `Host`, `Upgrade`, which no page can set, and the headers that
 *   distinguish a browser from a program
 * @param allowNull adds the origin `null` to the others
 */
export function isOriginAllowed(
  headers: HostHeaders,
  allowed: readonly string[] | undefined,
  allowNull = false,
): boolean {
  const { origin, upgrade } = headers;
  const hostname = hostnameIn(headers);
  if (origin === undefined) {
    return (
      upgrade !== undefined || hostOf(headers) === undefined || !isFromBrowser(headers) || isOwn(hostname, allowed)
    );
  }
  if (allowed?.includes(origin)) return true;
  if (origin === 'null') return allowNull && (allowed !== undefined || isLoopback(hostname));
  if (allowed || !isLoopback(hostname)) return false;
  return origin === 'file://' ? isPlainWebSocket(headers) : isLoopback(hostnameOf(origin));
}

/**
 * Whether an origin names no site: it belongs to sandboxed frames of any site, or to any page from disk. Nothing that a
 * browser adds by itself, such as a cookie, proves anything then.
 */
export function isNamelessOrigin(origin: string | undefined): boolean {
  return origin === 'null' || origin === 'file://';
}

/**
 * Whether the cookies of a request whose origin is allowed may prove who the client is. A page of any site can make a
 * browser send the cookies of its user: from a sandboxed frame, or in a plain GET without an origin. Of such a GET
 * browsers say where it comes from, in a header that no page can set (Fetch Metadata). Programs send neither.
 */
export function maySendCookies({ origin, ...headers }: AdmissionRequest['headers']): boolean {
  if (origin !== undefined) return !isNamelessOrigin(origin);
  return [undefined, 'same-origin', 'none'].includes(headers['sec-fetch-site']?.toString());
}

/** Admits pages of the allowed origins, and all programs. */
export class Origins implements Admission {
  readonly name = 'origins';
  readonly #allowed: readonly string[] | undefined;
  readonly #allowNull: boolean;

  /**
   * @param allowedOrigins as browsers send them. Default: pages from loopback addresses, and pages from disk by plain
   *   WebSocket
   * @param allowNull adds the origin `null` to the others. Default: false
   */
  constructor(allowedOrigins: readonly string[] | undefined, allowNull = false) {
    this.#allowed = allowedOrigins;
    this.#allowNull = allowNull;
  }

  allows(headers: HostHeaders): boolean {
    return isOriginAllowed(headers, this.#allowed, this.#allowNull);
  }

  admit({ headers, entrance }: Pick<AdmissionRequest, 'headers' | 'entrance'>): Refusal | undefined {
    const { origin } = headers;
    // The handshake of a component or of Socket.IO looks the same as one of a route.
    const isOtherEntrance = origin === 'file://' && entrance.kind !== 'route' && !this.#allowed?.includes(origin);
    return this.allows(headers) && !isOtherEntrance ? undefined : this.#refused(headers);
  }

  refusal(headers: HostHeaders): Refusal | undefined {
    return this.allows(headers) ? undefined : this.#refused(headers);
  }

  #refused(headers: HostHeaders): Refusal {
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
function isFromBrowser(headers: HostHeaders): boolean {
  if (headers['accept-language'] !== undefined || headers['user-agent']?.startsWith('Mozilla/')) return true;
  return Object.keys(headers).some((name) => name.startsWith('sec-fetch-'));
}

/** Whether the request is a WebSocket handshake without the subprotocol of Pregon. */
function isPlainWebSocket({ upgrade, 'sec-websocket-protocol': offered = '' }: HostHeaders): boolean {
  if (upgrade?.toLowerCase() !== 'websocket') return false;
  return !offered.split(',').some((name) => name.trim() === SUBPROTOCOL);
}

/**
 * Whether a hostname is an IP address, which DNS cannot redirect, a loopback name, or the host of an allowed origin.
 */
function isOwn(hostname: string | undefined, allowedOrigins: readonly string[] = []): boolean {
  if (hostname === undefined) return false;
  if (isLoopback(hostname) || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return true;
  return allowedOrigins.some((allowed) => hostnameOf(allowed) === hostname);
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
    const flag = origin === 'null' ? ' with --allow-null-origin or allowNullOrigin,' : '';
    return `serve the page by HTTP, or allow the origin ${JSON.stringify(origin)}${flag} in allowedOrigins; sandboxed frames of any site, or all pages from disk, share it`;
  }
  const wanted = origin ?? `http://${host}`;
  if (!URL.canParse(wanted) || new URL(wanted).origin !== wanted) {
    return 'browsers send no such origin, so there is nothing to allow';
  }
  const alone = allowedOrigins ? '' : '; origins of pages on this machine must then be added as well';
  return `to admit it, run the gateway with --allowed-origin=${wanted}, or add '${wanted}' to allowedOrigins (in pregon.yml: under websocket)${alone}`;
}
