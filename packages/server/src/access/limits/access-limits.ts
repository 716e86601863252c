import type { Clock } from '../../core/time/clock.js';
import type { ClientAddressOptions } from '../addresses/client-address-options.js';
import { ClientAddresses } from '../addresses/client-addresses.js';
import type { ClientLimitOptions } from './client-limit-options.js';
import { ClientLimits } from './client-limits.js';
import { FailedAuthentications } from './failed-authentications.js';
import { LimitedAddresses } from './limited-addresses.js';

/** The limits on the clients of a gateway. All its entrances share them. */
export class AccessLimits {
  readonly clients: ClientLimits;
  readonly failures: FailedAuthentications;

  /** @throws TypeError if an address or a subnet is not valid */
  constructor(limits: Required<ClientLimitOptions>, options: ClientAddressOptions, clock: Clock) {
    const limited = new LimitedAddresses(options.exemptAddresses);
    const addresses = new ClientAddresses(options);
    this.clients = new ClientLimits({ limits, addresses, limited, clock });
    this.failures = new FailedAuthentications(limits.maxFailedAuthenticationsPerMinute, limited, clock);
  }
}
