import { BlockList, isIP } from 'node:net';

/** Loopback addresses: RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3. */
export const LOOPBACK_SUBNETS: readonly string[] = ['127.0.0.0/8', '::1'];

/** Private and link-local addresses: RFC 1918, RFC 3927, RFC 4193, RFC 4291 section 2.5.6. */
export const PRIVATE_SUBNETS: readonly string[] = [
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'],
  ...['fc00::/7', 'fe80::/10'],
];

/** A list of addresses and subnets. */
export class AddressList {
  readonly #list: BlockList;

  /**
   * @param entries addresses and subnets: `192.0.2.7`, `2001:db8::/32`. A `BlockList` of Node.js may change later
   * @param option the name of the option that holds the list, for the error
   * @throws TypeError if an entry is neither an address nor a subnet
   */
  constructor(entries: readonly string[] | BlockList, option: string) {
    this.#list = entries instanceof BlockList ? entries : new BlockList();
    if (entries instanceof BlockList) return;
    if (!Array.isArray(entries)) throw new TypeError(`${option} must be a list of addresses and subnets`);
    for (const entry of entries) {
      if (!isAddressOrSubnet(entry)) throw new TypeError(`${option}: ${JSON.stringify(entry)} ${NO_ADDRESS}`);
      add(this.#list, entry);
    }
  }

  /** @param address as a socket reports it, which includes IPv4-mapped IPv6 addresses and zones */
  includes(address: string): boolean {
    const bare = address.includes('%') ? address.replace(/%.*$/, '') : address;
    const family = isIP(bare);
    return family !== 0 && this.#list.check(bare, family === 4 ? 'ipv4' : 'ipv6');
  }
}

export const NO_ADDRESS = 'is neither an address nor a subnet';

export function isAddressOrSubnet(entry: unknown): boolean {
  if (typeof entry !== 'string') return false;
  const [address = '', prefix, ...rest] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%')) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

function add(list: BlockList, entry: string): void {
  const [address = '', prefix] = entry.split('/');
  const type = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  if (prefix === undefined) list.addAddress(address, type);
  else list.addSubnet(address, Number(prefix), type);
}
