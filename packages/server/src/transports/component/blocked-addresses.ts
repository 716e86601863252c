import { BlockList, isIP } from 'node:net';

/** Addresses and subnets, `192.0.2.7` and `2001:db8::/32`; or a list that is kept elsewhere, to which more may be added at any time. */
export type BlockedAddresses = readonly string[] | BlockList;

/** @throws TypeError where one is neither an address nor a subnet */
export function toBlockList(blocked: BlockedAddresses): BlockList {
  if (blocked instanceof BlockList) return blocked;
  const list = new BlockList();
  for (const entry of blocked) add(list, entry);
  return list;
}

/** @param address as sockets tell it: also an IPv4 address in IPv6's clothes, or one with a zone */
export function isBlocked(list: BlockList, address: string): boolean {
  const bare = address.replace(/%.*$/, '');
  const family = isIP(bare);
  return family !== 0 && list.check(bare, family === 4 ? 'ipv4' : 'ipv6');
}

function add(list: BlockList, entry: string): void {
  const [address = '', prefix, ...rest] = entry.split('/');
  const family = isIP(address);
  const bits = prefix === undefined ? undefined : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  const most = family === 4 ? 32 : 128;
  if (family === 0 || rest.length > 0 || (bits !== undefined && !(bits <= most))) {
    throw new TypeError(`blockedAddresses: ${JSON.stringify(entry)} is neither an address nor a subnet`);
  }
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (bits === undefined) list.addAddress(address, type);
  else list.addSubnet(address, bits, type);
}
