import { createHash } from 'node:crypto';
import type { HttpRequest } from '../../core/admission/admission-request.js';
import type { Carrier, Clients } from '../../core/admission/clients.js';
import type { CountExchange } from '../../core/counts/count-exchange.js';
import { MAX_KEY_LENGTH } from '../../core/counts/counts.js';
import { Rate } from '../../core/incoming/token-bucket.js';
import type { Allowed, Identity, Refusal } from '../../core/ports/admission.js';
import type { Clock } from '../../core/time/clock.js';
import type { ClientAddresses } from '../addresses/client-addresses.js';
import { AddressTable } from './address-table.js';
import type { ClientLimitOptions } from './client-limit-options.js';
import { CountByKey } from './count-by-key.js';
import { tooManyConnections, tooManyHandshakes, tooManyOfIdentity, tooManyWaiting } from './limit-refusals.js';
import { MAX_SHARED_DEBT_MS } from './limit-shares.js';
import type { LimitedAddresses } from './limited-addresses.js';

/** A client, and what it counts for. */
interface Place {
  readonly address: string;
  /** Undefined if the address is exempt. */
  readonly key: string | undefined;
  /** Carriers that are not watched yet. */
  carriers: readonly Carrier[];
  /** The number of watched carriers that are open. */
  open: number;
  hasArrived: boolean;
  /** Whether it counts as a connection of its address and of its identities. */
  isCounted: boolean;
  /** Usually at most one. A client of Socket.IO can enter each namespace with another identity. */
  identities: readonly string[];
}

export interface ClientLimitsOptions {
  readonly limits: Required<ClientLimitOptions>;
  readonly addresses: ClientAddresses;
  readonly limited: LimitedAddresses;
  readonly clock: Clock;
  /** Tells other processes of the counts of this one, and this one of theirs. */
  readonly shared: Pick<CountExchange, 'addresses' | 'identities' | 'handshakes'>;
}

/**
 * The limits on the clients of one address, and of one identity.
 *
 * A client counts for as long as one of its carriers is open. Each of them emits `close` once, however the client leaves
 * and however far its admission has come, so no count is left behind.
 */
export class ClientLimits implements Clients {
  readonly #options: ClientLimitsOptions;
  readonly #handshakes: Rate;
  readonly #table = new AddressTable();
  readonly #identities = new CountByKey();
  readonly #places = new WeakMap<HttpRequest, Place>();

  constructor(options: ClientLimitsOptions) {
    this.#options = options;
    const { maxHandshakesPerSecond: perSecond, handshakeBurst: burst } = options.limits;
    this.#handshakes = new Rate({ perSecond, burst });
    options.shared.handshakes.onOthers = (key, count) => this.#chargeHandshakes(key, count);
  }

  /** How many addresses and identities are counted now. */
  get counted(): { readonly addresses: number; readonly identities: number } {
    return { addresses: this.#table.busy, identities: this.#identities.size };
  }

  /** The socket of the first request of a session may be gone, so its address is remembered. */
  readonly addressOf = (request: HttpRequest): string =>
    this.#places.get(request)?.address ?? this.#options.addresses.of(request);

  keep(request: HttpRequest, carrier: Carrier): void {
    const place = this.#placeOf(request);
    if (place.isCounted) return this.#watch(place, carrier);
    place.carriers = [...place.carriers, carrier];
    if (place.key !== undefined) this.#count(place);
  }

  arrived(request: HttpRequest): Refusal | undefined {
    const place = this.#placeOf(request);
    const { key, hasArrived } = place;
    place.hasArrived = true;
    if (key === undefined || hasArrived) return undefined;
    const refusal = this.#tooMany(key, place.isCounted ? 1 : 0);
    // The refusal may take a while to be written. Meanwhile, the client must not take the place of another one.
    if (refusal) this.#release(place);
    return refusal;
  }

  identified(request: HttpRequest, { identity, rights }: Allowed): Refusal | undefined {
    const { maxConnectionsPerIdentity: most } = this.#options.limits;
    if (!identity || rights?.isService || most === 0) return undefined;
    const place = this.#placeOf(request);
    const key = identityKey(identity);
    if (place.identities.includes(key)) return undefined;
    const { identities } = this.#options.shared;
    if (this.#identities.get(key) + identities.others(key) >= most) return tooManyOfIdentity(identity, most);
    if (!place.isCounted) this.#count(place);
    if (!place.isCounted) return undefined;
    place.identities = [...place.identities, key];
    this.#countIdentity(key);
    return undefined;
  }

  signedIn({ identity, rights }: Allowed): () => void {
    if (!identity || rights?.isService) return () => {};
    const key = identityKey(identity);
    this.#countIdentity(key);
    return () => this.#releaseIdentity(key);
  }

  signOut(request: HttpRequest): (() => void) | undefined {
    const place = this.#places.get(request);
    if (!place || place.identities.length === 0) return undefined;
    return () => this.#releaseIdentities(place);
  }

  waits(request: HttpRequest): Refusal | undefined {
    const { key } = this.#placeOf(request);
    const { maxPendingPerAddress: most } = this.#options.limits;
    if (key === undefined || most === 0) return undefined;
    if ((this.#table.find(key)?.waiting ?? 0) >= most) return tooManyWaiting(key, most);
    this.#table.add(key, { waiting: 1 }, this.#options.clock.now());
    return undefined;
  }

  waited(request: HttpRequest): void {
    const { key } = this.#placeOf(request);
    const { maxPendingPerAddress: most } = this.#options.limits;
    if (key !== undefined && most > 0) this.#table.add(key, { waiting: -1 }, this.#options.clock.now());
  }

  /** @param own how many of the connections of the address belong to the client itself */
  #tooMany(key: string, own: number): Refusal | undefined {
    const { limits, clock, shared } = this.#options;
    const most = limits.maxConnectionsPerAddress;
    const record = this.#table.find(key);
    const others = (record?.connections ?? 0) - own + shared.addresses.others(key);
    if (most > 0 && others >= most) return tooManyConnections(key, most);
    const now = clock.now();
    const handshakes = this.#handshakes.take(record?.handshakes ?? 0, 1, now);
    const waitMs = this.#handshakes.waitMs(handshakes, now);
    if (waitMs > 0) return tooManyHandshakes(key, waitMs);
    this.#table.add(key, { handshakes }, now);
    shared.handshakes.add(key);
    return undefined;
  }

  #placeOf(request: HttpRequest): Place {
    const known = this.#places.get(request);
    if (known) return known;
    const address = this.#options.addresses.of(request);
    const key = this.#options.limited.keyOf(address);
    const place = { address, key, carriers: [], open: 0, hasArrived: false, isCounted: false, identities: [] };
    this.#places.set(request, place);
    return place;
  }

  /** Does nothing if the client has already left. */
  #count(place: Place): void {
    const carriers = place.carriers.filter(({ closed }) => !closed);
    place.carriers = [];
    if (carriers.length === 0) return;
    place.isCounted = true;
    if (place.key !== undefined) this.#countAddress(place.key, 1);
    for (const carrier of carriers) this.#watch(place, carrier);
  }

  #watch(place: Place, carrier: Carrier): void {
    if (carrier.closed) return;
    place.open += 1;
    carrier.once('close', () => {
      place.open -= 1;
      if (place.open === 0) this.#release(place);
    });
  }

  #release(place: Place): void {
    if (!place.isCounted) return;
    place.isCounted = false;
    if (place.key !== undefined) this.#countAddress(place.key, -1);
    this.#releaseIdentities(place);
  }

  #releaseIdentities(place: Place): void {
    for (const identity of place.identities) this.#releaseIdentity(identity);
    place.identities = [];
  }

  #countAddress(key: string, connections: 1 | -1): void {
    const { clock, shared } = this.#options;
    this.#table.add(key, { connections }, clock.now());
    shared.addresses.set(key, this.#table.find(key)?.connections ?? 0);
  }

  #countIdentity(key: string): void {
    this.#identities.add(key);
    this.#options.shared.identities.set(key, this.#identities.get(key));
  }

  #releaseIdentity(key: string): void {
    this.#identities.remove(key);
    this.#options.shared.identities.set(key, this.#identities.get(key));
  }

  #chargeHandshakes(key: string, count: number): void {
    const now = this.#options.clock.now();
    const before = this.#table.find(key)?.handshakes ?? 0;
    const handshakes = this.#handshakes.charge(before, count, now, MAX_SHARED_DEBT_MS);
    this.#table.add(key, { handshakes }, now);
  }
}

/** An issuer chooses its subjects, so a separator could be part of either name. Long names take their hash. */
function identityKey({ iss, sub }: Identity): string {
  const key = JSON.stringify([iss, sub]);
  return key.length <= MAX_KEY_LENGTH ? key : createHash('sha256').update(key).digest('base64url');
}
