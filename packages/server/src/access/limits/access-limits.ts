import { type CountChannel, CountExchange } from '../../core/counts/count-exchange.js';
import type { Counts } from '../../core/counts/counts.js';
import type { Clock } from '../../core/time/clock.js';
import type { ClientAddressOptions } from '../addresses/client-address-options.js';
import { ClientAddresses } from '../addresses/client-addresses.js';
import type { ClientLimitOptions } from './client-limit-options.js';
import { ClientLimits } from './client-limits.js';
import { FailedAuthentications } from './failed-authentications.js';
import { limitShares } from './limit-shares.js';
import { LimitedAddresses } from './limited-addresses.js';

/** The limits on the clients of a gateway. All its entrances share them. */
export class AccessLimits {
  readonly clients: ClientLimits;
  readonly failures: FailedAuthentications;
  readonly #limits: Required<ClientLimitOptions>;
  readonly #exchange: CountExchange;

  /** @throws TypeError if an address or a subnet is not valid */
  constructor(limits: Required<ClientLimitOptions>, options: ClientAddressOptions, clock: Clock) {
    const limited = new LimitedAddresses(options.exemptAddresses);
    const addresses = new ClientAddresses(options);
    const shared = new CountExchange(clock);
    this.#limits = limits;
    this.#exchange = shared;
    this.clients = new ClientLimits({ limits, addresses, limited, clock, shared });
    this.failures = new FailedAuthentications(
      limits.maxFailedAuthenticationsPerMinute,
      limited,
      clock,
      shared.failures,
    );
  }

  /**
   * Makes the limits hold for several processes together. Call it before there are clients.
   *
   * @returns a function that takes the counts of the other processes
   */
  share(channel: CountChannel): (others: Counts) => void {
    const exchange = this.#exchange;
    const shares = limitShares(this.#limits, channel.processes);
    exchange.addresses.shareAbove = shares.addresses;
    exchange.identities.shareAbove = shares.identities;
    exchange.handshakes.shareAbove = shares.handshakes;
    exchange.failures.shareAbove = shares.failures;
    exchange.join(channel);
    return (others) => exchange.hear(others);
  }
}
