import { BoundedMap } from '../../core/bounded-map.js';
import type { SharedUses } from '../../core/counts/shared-uses.js';
import { Rate } from '../../core/incoming/token-bucket.js';
import type { Refusal } from '../../core/ports/admission.js';
import type { Clock } from '../../core/time/clock.js';
import { tooManyFailures } from './limit-refusals.js';
import { MAX_SHARED_DEBT_MS } from './limit-shares.js';
import type { LimitedAddresses } from './limited-addresses.js';

/** About 2 MB. If more addresses fail, the oldest is forgotten, and may fail again; no address is refused for others. */
const MOST_ADDRESSES = 20_000;

/** The tokens of an address that are verified although too many of it were refused: neighbours can share the address. */
const TRIES = { perSecond: 3, burst: 3 };

/** Limits the tokens of one address that are refused: a verification costs more than a refusal. */
export class FailedAuthentications {
  readonly #addresses: LimitedAddresses;
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #shared: SharedUses;
  readonly #states = new BoundedMap<string, number>(MOST_ADDRESSES);
  readonly #tries = new Rate(TRIES);
  /** Of addresses that are refused. */
  readonly #tryStates = new BoundedMap<string, number>(MOST_ADDRESSES);

  /**
   * @param perMinute how many tokens of an address may be refused in a minute, and at once. 0 means no limit
   * @param shared tells other processes of refused tokens, and this one of theirs
   */
  constructor(perMinute: number, addresses: LimitedAddresses, clock: Clock, shared: SharedUses) {
    this.#addresses = addresses;
    this.#clock = clock;
    this.#shared = shared;
    shared.onOthers = (key, count) => this.#charge(key, count, MAX_SHARED_DEBT_MS);
    this.#rate = new Rate({ perSecond: perMinute / 60, burst: perMinute });
  }

  /** Refuses the next token of an address if too many were refused before. */
  refusal(address: string): Refusal | undefined {
    const key = this.#addresses.keyOf(address);
    const state = key === undefined ? undefined : this.#states.get(key);
    if (key === undefined || state === undefined) return undefined;
    const now = this.#clock.now();
    const waitMs = this.#rate.waitMs(this.#rate.take(state, 1, now), now);
    return waitMs === 0 ? undefined : tooManyFailures(key, waitMs);
  }

  /** Whether a token may be verified although {@link refusal} refuses it. Takes one of the few tries of the address. */
  takeTry(address: string): boolean {
    const key = this.#addresses.keyOf(address);
    if (key === undefined) return true;
    const now = this.#clock.now();
    const state = this.#tries.take(this.#tryStates.get(key) ?? 0, 1, now);
    if (this.#tries.waitMs(state, now) > 0) return false;
    this.#tryStates.delete(key);
    this.#tryStates.set(key, state);
    return true;
  }

  /** Counts a refused token. Tokens that were verified at the same time can exceed the limit; they cause no debt. */
  failed(address: string): void {
    const key = this.#addresses.keyOf(address);
    if (key === undefined) return;
    this.#charge(key, 1, 0);
    this.#shared.add(key);
  }

  #charge(key: string, count: number, maxDebtMs: number): void {
    const now = this.#clock.now();
    const before = this.#states.get(key) ?? 0;
    const after = this.#rate.charge(before, count, now, maxDebtMs);
    this.#states.delete(key);
    if (after > now) this.#states.set(key, after);
  }
}
