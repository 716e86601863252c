import { isIP } from 'node:net';
import { AddressList } from '../addresses/address-list.js';
import { addressKey } from './address-key.js';

/** RFC 1122 section 3.2.1.3, RFC 1918, RFC 3927; RFC 4291 sections 2.5.3 and 2.5.6, RFC 4193. */
const LOOPBACK_AND_PRIVATE = [
  ...['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'],
  ...['::1', 'fc00::/7', 'fe80::/10'],
];

/** The addresses to which the limits per address apply. */
export class LimitedAddresses {
  readonly #exempt: AddressList;

  /** @throws TypeError if an entry is neither an address nor a subnet */
  constructor(exempt: readonly string[] | undefined) {
    this.#exempt = new AddressList(exempt ?? LOOPBACK_AND_PRIVATE, 'exemptAddresses');
  }

  /** What the address counts for, see {@link addressKey}; undefined if it is exempt or unknown. */
  keyOf(address: string): string | undefined {
    const bare = address.includes('%') ? address.replace(/%.*$/, '') : address;
    return isIP(bare) === 0 || this.#exempt.includes(bare) ? undefined : addressKey(bare);
  }
}
