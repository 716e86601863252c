import { isIP } from 'node:net';

/**
 * What an address counts for: the address itself for IPv4, the /64 network for IPv6, because a network of that size is
 * the least that one customer gets (RFC 6177). An IPv4 address that is mapped to IPv6 (RFC 4291 section 2.5.5.2), or
 * translated with the well-known prefix (RFC 6052 section 2.1), counts as the IPv4 address.
 *
 * @param address an address without a zone, in any spelling
 * @returns the address unchanged if it is not an IP address
 */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const groups = groupsOf(address);
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0, sixth = 0, high = 0, low = 0] = groups;
  const isMapped = first === 0 && second === 0 && sixth === 0xffff;
  const isTranslated = first === 0x64 && second === 0xff9b && sixth === 0;
  if ((isMapped || isTranslated) && third === 0 && fourth === 0 && fifth === 0) {
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  }
  return `${[first, second, third, fourth].map((group) => group.toString(16)).join(':')}::/64`;
}

/** The eight groups of a valid IPv6 address (RFC 4291 section 2.2). */
function groupsOf(address: string): readonly number[] {
  const [head = '', tail] = address.split('::');
  const left = parse(head);
  if (tail === undefined) return left;
  const right = parse(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function parse(groups: string): number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
