import { isIP } from 'node:net';
import { AddressList, LOOPBACK_SUBNETS, PRIVATE_SUBNETS } from '../addresses/address-list.js';
import { addressKey } from './address-key.js';

/** Clients of this machine, and proxies and load tools in the same network. */
const EXEMPT_BY_DEFAULT = [...LOOPBACK_SUBNETS, ...PRIVATE_SUBNETS];

/** The addresses to which the limits per address apply. */
export class LimitedAddresses {
  readonly #exempt: AddressList;

  /** @throws TypeError if an entry is neither an address nor a subnet */
  constructor(exempt: readonly string[] | undefined) {
    this.#exempt = new AddressList(exempt ?? EXEMPT_BY_DEFAULT, 'exemptAddresses');
  }

  /** What the address counts for, see {@link addressKey}; undefined if it is exempt or unknown. */
  keyOf(address: string): string | undefined {
    const bare = address.includes('%') ? address.replace(/%.*$/, '') : address;
    return isIP(bare) === 0 || this.#exempt.includes(bare) ? undefined : addressKey(bare);
  }
}
