import { BlockList, isIP } from 'node:net';
import type { Admission, AdmissionRequest, Refusal } from '../core/ports/admission.js';

/** Refuses clients whose address is on a list. */
export class AddressBlocks implements Admission {
  readonly name = 'blocked addresses';
  readonly #list: BlockList;

  /** @throws TypeError if an entry is neither an address nor a subnet */
  constructor(blocked: readonly string[] | BlockList) {
    this.#list = toBlockList(blocked);
  }

  admit({ remoteAddress }: Pick<AdmissionRequest, 'remoteAddress'>): Refusal | undefined {
    if (!this.#includes(remoteAddress)) return undefined;
    const remedy = 'remove it from blockedAddresses of the component to admit it';
    return { status: 403, reason: 'address', message: `${remoteAddress} may not connect`, remedy };
  }

  /** @param address as a socket reports it, which includes IPv4-mapped IPv6 addresses and zones */
  #includes(address: string): boolean {
    const bare = address.replace(/%.*$/, '');
    const family = isIP(bare);
    return family !== 0 && this.#list.check(bare, family === 4 ? 'ipv4' : 'ipv6');
  }
}

function toBlockList(blocked: readonly string[] | BlockList): BlockList {
  if (blocked instanceof BlockList) return blocked;
  const list = new BlockList();
  for (const entry of blocked) add(list, entry);
  return list;
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
