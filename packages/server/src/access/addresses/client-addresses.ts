import { type HttpRequest, socketAddress } from '../../core/admission/admission-request.js';
import { AddressList } from './address-list.js';
import type { ClientAddressOptions, ProxyHeader } from './client-address-options.js';
import { reportedHops } from './reported-hops.js';

/** The most elements of the header that are looked at. Longer chains of trusted proxies do not exist. */
const MOST_HOPS = 20;

const HEADERS: readonly unknown[] = ['x-forwarded-for', 'forwarded'] satisfies ProxyHeader[];

/** Finds the address of a client, also behind proxies. */
export class ClientAddresses {
  readonly #trusted: AddressList | undefined;
  readonly #header: ProxyHeader;

  /** @throws TypeError if a proxy is neither an address nor a subnet, or the header is not one of the two */
  constructor({ trustedProxies, proxyHeader = 'x-forwarded-for' }: ClientAddressOptions = {}) {
    if (!HEADERS.includes(proxyHeader)) throw new TypeError(`proxyHeader must be ${HEADERS.join(' or ')}`);
    const list = new AddressList(trustedProxies ?? [], 'trustedProxies');
    this.#trusted = trustedProxies && trustedProxies.length > 0 ? list : undefined;
    this.#header = proxyHeader;
  }

  /**
   * Never throws, whatever the header contains. An element that is not an address ends the search: the client then has
   * the address of the proxy that reported it.
   */
  of(request: HttpRequest): string {
    let address = socketAddress(request);
    if (!this.#trusted?.includes(address)) return address;
    let hops = 0;
    for (const hop of reportedHops(request.headers, this.#header)) {
      hops += 1;
      if (hop === undefined || hops > MOST_HOPS) break;
      address = hop;
      if (!this.#trusted.includes(address)) break;
    }
    return address;
  }
}
