import type { BlockList } from 'node:net';
import type { Admission, AdmissionRequest, Refusal } from '../core/ports/admission.js';
import { AddressList } from './addresses/address-list.js';

/** Refuses clients whose address is on a list. */
export class AddressBlocks implements Admission {
  readonly name = 'blocked addresses';
  readonly #list: AddressList;

  /** @throws TypeError if an entry is neither an address nor a subnet */
  constructor(blocked: readonly string[] | BlockList) {
    this.#list = new AddressList(blocked, 'blockedAddresses');
  }

  admit({ remoteAddress }: Pick<AdmissionRequest, 'remoteAddress'>): Refusal | undefined {
    if (!this.#list.includes(remoteAddress)) return undefined;
    const remedy = 'remove it from blockedAddresses of the component to admit it';
    return { status: 403, reason: 'address', message: `${remoteAddress} may not connect`, remedy };
  }
}
