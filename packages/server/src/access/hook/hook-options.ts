import { isIP } from 'node:net';
import { AddressList, PRIVATE_SUBNETS } from '../addresses/address-list.js';
import { isLoopback } from '../hosts.js';

/** How the application is asked who a client is. */
export interface HookOptions {
  /** The http or https URL that is asked. */
  readonly hook: string;
  /** Headers that are forwarded too. @default [] */
  readonly forward?: readonly string[] | undefined;
}

/** What is always forwarded, in lower case. */
const ALWAYS_FORWARDED = ['cookie', 'authorization', 'origin', 'user-agent', 'accept-language'];

/** The header with the address of the client. A client cannot set it: headers of its own are not forwarded. */
export const ADDRESS_HEADER = 'pregon-client-address';

/** Headers that belong to one connection, or to the request itself (RFC 9110 section 7.6.1). */
const NEVER_FORWARDED: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect', 'proxy-connection'],
  ...['host', 'content-length', 'content-type', 'accept', 'accept-encoding', ADDRESS_HEADER],
]);

/** A token of RFC 9110 section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~\w]+$/;

export interface HookPlan {
  readonly url: string;
  /** The URL without its query, for log lines: a query may hold a secret of the operator's. */
  readonly shownUrl: string;
  /** The names of the headers that are forwarded, in lower case. */
  readonly forwarded: readonly string[];
  /** Whether cookies and tokens travel unencrypted, to a host that may be in another network. */
  readonly isExposed: boolean;
}

/** @throws TypeError that says which option is wrong, and what it should be */
export function planHook({ hook, forward = [] }: HookOptions): HookPlan {
  if (typeof hook !== 'string' || !URL.canParse(hook)) throw new TypeError('auth.hook must be a URL');
  const { protocol, hostname, username, password, origin, pathname, href } = new URL(hook);
  if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError('auth.hook must be an http or https URL');
  if (username !== '' || password !== '') throw new TypeError('auth.hook must not contain a user name or password');
  if (!Array.isArray(forward)) throw new TypeError('auth.forward must be a list of header names');
  const names = forward.map((name) => {
    if (typeof name !== 'string' || !HEADER_NAME.test(name)) {
      throw new TypeError(`auth.forward: ${JSON.stringify(name)} is not the name of a header`);
    }
    if (!NEVER_FORWARDED.has(name.toLowerCase())) return name.toLowerCase();
    throw new TypeError(`auth.forward: ${name} belongs to one connection, and cannot be forwarded`);
  });
  return {
    url: href,
    shownUrl: origin + pathname,
    forwarded: [...new Set([...ALWAYS_FORWARDED, ...names])],
    isExposed: protocol === 'http:' && !isPrivateHost(hostname),
  };
}

const PRIVATE = new AddressList(PRIVATE_SUBNETS, 'private addresses');

/** A name without dots is that of a container or of a host in the same network; `.internal` is reserved for such names. */
function isPrivateHost(hostname: string): boolean {
  if (isLoopback(hostname)) return true;
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0) return PRIVATE.includes(address);
  return !hostname.includes('.') || /\.(internal|local)$/.test(hostname);
}
