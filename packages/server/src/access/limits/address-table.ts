import { BoundedMap } from '../../core/bounded-map.js';

/** What is counted for one address. */
export interface AddressRecord {
  readonly connections: number;
  /** Clients that wait for the decision of an admission, or that have not shown their token yet. */
  readonly waiting: number;
  /** The state of the rate of handshakes, see `Rate`. */
  readonly handshakes: number;
}

const NEW: AddressRecord = Object.freeze({ connections: 0, waiting: 0, handshakes: 0 });

/** About 4 MB. */
const MOST_QUIET = 20_000;

/**
 * The records of addresses. The record of an address with connections or waiting clients is never dropped; their number
 * bounds the number of these records.
 *
 * The other records hold only the state of a rate. An attacker can have any number of addresses, so there are at most
 * {@link MOST_QUIET} of them, and each new one drops the oldest. The address of a dropped record may then use its burst
 * again; no address is refused because of others.
 */
export class AddressTable {
  readonly #busy = new Map<string, AddressRecord>();
  readonly #quiet = new BoundedMap<string, AddressRecord>(MOST_QUIET);

  /** How many addresses have connections or waiting clients. */
  get busy(): number {
    return this.#busy.size;
  }

  find(key: string): AddressRecord | undefined {
    return this.#busy.get(key) ?? this.#quiet.get(key);
  }

  /**
   * Adds to the counts of an address.
   *
   * @param handshakes the new state of the rate. Default: unchanged
   * @param now in milliseconds, as for the rate
   */
  add(key: string, { connections = 0, waiting = 0, handshakes }: Partial<AddressRecord>, now: number): void {
    const before = this.find(key) ?? NEW;
    const record = {
      connections: before.connections + connections,
      waiting: before.waiting + waiting,
      handshakes: handshakes ?? before.handshakes,
    };
    this.#quiet.delete(key);
    if (record.connections > 0 || record.waiting > 0) {
      this.#busy.set(key, record);
      return;
    }
    this.#busy.delete(key);
    // A bucket that is full again is in the same state as a new one.
    if (record.handshakes > now) this.#quiet.set(key, record);
  }

  *[Symbol.iterator](): Iterator<readonly [string, AddressRecord]> {
    yield* this.#busy;
  }
}
