import { AddressBlocks } from '../access/blocked-addresses.js';
import { Origins } from '../access/origins.js';
import { AdmissionChain } from '../core/admission/admission-chain.js';
import { PendingAdmissions } from '../core/admission/pending-admissions.js';
import type { Admission } from '../core/ports/admission.js';
import { systemClock } from '../core/time/clock.js';
import type { MountAccess } from '../transports/component/mount.js';
import type { MountOptions } from '../transports/component/mount-options.js';
import type { OriginPolicy } from '../transports/http/cors.js';
import type { Logger } from './options.js';

export interface GatewayAdmissionsOptions {
  readonly allowedOrigins: readonly string[] | undefined;
  /** The admissions of the application, asked after the gateway's own. */
  readonly admissions: readonly Admission[] | undefined;
  readonly logger: Pick<Logger, 'error'>;
  /** Calls back when an event loop turn has time for another client, see {@link PendingAdmissions}. */
  readonly pace: (resume: () => void) => void;
}

/** The admissions of each entrance of a gateway. */
export class GatewayAdmissions {
  readonly origins: OriginPolicy;
  /** For the routes and Socket.IO. */
  readonly admission: AdmissionChain;
  /** Without origins, because a component may have its own. */
  readonly #others: AdmissionChain;
  readonly #defaultOrigins: Origins;

  /** @throws TypeError if one of the admissions has no name or no method `admit` */
  constructor({ allowedOrigins, admissions = [], logger, pace }: GatewayAdmissionsOptions) {
    for (const admission of admissions) assertAdmission(admission);
    const pending = new PendingAdmissions({ clock: systemClock, pace });
    this.#others = new AdmissionChain(admissions, {
      pending,
      onFailed: (admission, err) => logger.error({ admission, err }, 'an admission failed; the client was refused'),
    });
    this.#defaultOrigins = new Origins(allowedOrigins);
    this.origins = this.#defaultOrigins;
    this.admission = this.#others.after(this.#defaultOrigins);
  }

  /**
   * Returns the admissions of a component.
   * @throws TypeError if a blocked address is neither an address nor a subnet
   */
  ofMount({ allowedOrigins, blockedAddresses = [] }: MountOptions): MountAccess {
    const blocks = new AddressBlocks(blockedAddresses);
    const origins = allowedOrigins ? new Origins(allowedOrigins) : this.#defaultOrigins;
    return { origins, admission: this.#others.after(blocks, origins) };
  }
}

function assertAdmission(admission: Admission): void {
  if (typeof admission?.admit === 'function' && typeof admission.name === 'string') return;
  throw new TypeError('admissions: each admission needs a name and a method admit');
}
