import { CLOSE_CODES } from '@pregon/protocol';
import type { Admission, AdmissionRequest, Refusal } from '../core/ports/admission.js';
import { hostnameIn, hostOf, isLoopback, isLoopbackAddress } from './hosts.js';

/** Headers by which a proxy says that it passed a request on (RFC 7239, RFC 9110 section 7.6.3). */
const PROXY_HEADERS: ReadonlySet<string> = new Set(['forwarded', 'via', 'x-real-ip']);

const PROXY_PREFIX = 'x-forwarded-';

/** The most characters of a client's text in a refusal. */
const MOST_CHARACTERS = 60;

const REMEDY =
  "configure auth, or open the gateway to every client whose origin is allowed: --access=public, PREGON_ACCESS=public or access: 'public'; see docs/guide/access.md";

export interface ThisMachineOptions {
  /** The names of the routes that are open to other machines too. */
  readonly publicRoutes: ReadonlySet<string>;
}

/**
 * Admits only clients on the gateway's own machine. It applies if nothing says who may connect.
 *
 * A client is on this machine if its address and the name by which it addresses the gateway are both loopback ones, and
 * no proxy passed the request on. A proxy on this machine, a container's port mapping or a tunnel would otherwise make
 * every client local. So an HTTP/1.0 request is not local either: proxies send those, and current programs do not. A
 * client that connects by a Unix socket has no address, and may be anybody whom another program lets in.
 */
export class ThisMachine implements Admission {
  readonly name = 'this machine';
  readonly #publicRoutes: ReadonlySet<string>;

  constructor({ publicRoutes }: ThisMachineOptions) {
    this.#publicRoutes = publicRoutes;
  }

  admit(request: Omit<AdmissionRequest, 'method' | 'url' | 'isNew'>): Refusal | undefined {
    if (this.#isPublic(request.entrance)) return undefined;
    const client = describeForeign(request);
    return client === undefined ? undefined : refusalOf(client);
  }

  #isPublic({ kind, name }: AdmissionRequest['entrance']): boolean {
    if (kind === 'route') return this.#publicRoutes.has(name);
    // A client of Socket.IO then asks for a namespace, about which the admissions decide again.
    return kind === 'socket.io' && this.#publicRoutes.size > 0;
  }
}

/** Describes a client that is not on this machine; undefined if it is. */
function describeForeign({
  remoteAddress,
  headers,
  httpVersion,
}: Omit<AdmissionRequest, 'method' | 'url' | 'isNew'>): string | undefined {
  const client = `the client is ${remoteAddress === 'unknown' ? 'at an unknown address' : remoteAddress}`;
  if (!isLoopbackAddress(remoteAddress)) return client;
  const proxyHeader = Object.keys(headers).find((name) => PROXY_HEADERS.has(name) || name.startsWith(PROXY_PREFIX));
  if (proxyHeader !== undefined) return `${client}, a proxy that sends ${shorten(proxyHeader)}`;
  if (!(Number(httpVersion) >= 1.1)) return `${client}, and uses HTTP/${httpVersion} as proxies do`;
  if (isLoopback(hostnameIn(headers))) return undefined;
  return `${client}, and calls the gateway ${shorten(hostOf(headers) ?? 'by no name')}`;
}

function refusalOf(client: string): Refusal {
  const message = `only this machine may connect until auth or access is configured; ${client}`;
  return {
    status: 401,
    reason: 'access',
    message,
    remedy: REMEDY,
    headers: { 'WWW-Authenticate': 'Bearer' },
    close: CLOSE_CODES.UNAUTHORIZED,
  };
}

function shorten(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
