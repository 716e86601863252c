import { AddressBlocks } from '../access/blocked-addresses.js';
import { assertEntranceAccess, SingleAccess } from '../access/entrance-access.js';
import { ExpiredIdentities } from '../access/expired-identities.js';
import { Origins } from '../access/origins.js';
import { RevokedIdentities } from '../access/revocations/revoked-identities.js';
import type { ThisMachine } from '../access/this-machine.js';
import { AdmissionChain, type AdmissionChainOptions } from '../core/admission/admission-chain.js';
import { type Clients, uncounted } from '../core/admission/clients.js';
import { PendingAdmissions } from '../core/admission/pending-admissions.js';
import { type AskingAdmission, askedWithPlace } from '../core/admission/question.js';
import type { Admission, Identity } from '../core/ports/admission.js';
import { systemClock } from '../core/time/clock.js';
import type { MountAccess } from '../transports/component/mount.js';
import type { MountOptions } from '../transports/component/mount-options.js';
import type { Logger } from './options.js';

export interface GatewayAdmissionsOptions {
  readonly origins: Origins;
  /** Asked first, if only this machine may connect. */
  readonly thisMachine: ThisMachine | undefined;
  readonly clients: Clients;
  /** How many clients may wait for the decision of an admission. */
  readonly maxPending: number;
  /** The admissions of the application, asked after the gateway's own. */
  readonly admissions: readonly Admission[] | undefined;
  /** Those that check identities and rules, asked before those of the application; undefined without `auth`. */
  readonly auth?: readonly AskingAdmission[] | undefined;
  /** Those that check publishers over HTTP; undefined if no rule grants to publish. */
  readonly publishing?: readonly AskingAdmission[] | undefined;
  /** How long rights outlive the identity, in milliseconds. @default 5000 */
  readonly leewayMs?: number | undefined;
  /** Undefined if no client has an identity. */
  readonly revocations?: { has(identity: Identity): boolean } | undefined;
  readonly logger: Pick<Logger, 'error'>;
  /** Calls back when an event loop turn has time for another client, see {@link PendingAdmissions}. */
  readonly pace: (resume: () => void) => void;
}

/** Decides about publishers over HTTP. */
export interface PublishingChains {
  /** Asked when the head of a request has arrived. */
  readonly first: AdmissionChain;
  /** Asked with what `first` found when the body has arrived, which takes a while: may the identity still enter? */
  readonly again: AdmissionChain;
}

/** The admissions of each entrance of a gateway. */
export class GatewayAdmissions {
  /** For the routes and Socket.IO. */
  readonly admission: AdmissionChain;
  /** For publishers over HTTP; undefined if no rule grants to publish. */
  readonly publishing: PublishingChains | undefined;
  readonly #options: GatewayAdmissionsOptions;
  readonly #chain: AdmissionChainOptions;
  /** Those of the application. */
  readonly #own: readonly AskingAdmission[];
  /** Asked last: any admission before them may have found the identity. */
  readonly #last: readonly Admission[];

  /** @throws TypeError if one of the admissions has no name or no method `admit` */
  constructor(options: GatewayAdmissionsOptions) {
    const { origins, thisMachine, auth = [], admissions = [], leewayMs, logger, pace, clients, maxPending } = options;
    for (const admission of admissions) assertAdmission(admission);
    this.#options = options;
    this.#own = admissions.map(askedWithPlace);
    this.#last = [
      new ExpiredIdentities(leewayMs),
      ...(options.revocations ? [new RevokedIdentities(options.revocations)] : []),
    ];
    this.#chain = {
      clients,
      pending: new PendingAdmissions({ clients, clock: systemClock, pace, mostPending: maxPending }),
      wallClock: Date.now,
      onFailed: (admission, err) => logger.error({ admission, err }, 'an admission failed; the client was refused'),
    };
    // A publisher is no connection, and sends as many events as it has.
    const publishing = { ...this.#chain, clients: uncounted(clients.addressOf) };
    const local = thisMachine ? [thisMachine] : [];
    this.admission = new AdmissionChain([...local, origins, ...auth, ...this.#own, ...this.#last], this.#chain);
    this.publishing = options.publishing && {
      first: new AdmissionChain([...options.publishing, ...this.#last], publishing),
      again: new AdmissionChain(this.#last, publishing),
    };
  }

  /**
   * Returns the admissions of a component. It may have its own origins.
   *
   * @throws TypeError if a blocked address is neither an address nor a subnet; if `access` is not one of its values, or
   *   needs `auth`
   */
  ofMount({ allowedOrigins, blockedAddresses = [], access }: MountOptions): MountAccess {
    assertEntranceAccess(access, 'access');
    const { auth, thisMachine } = this.#options;
    if (!auth && access === 'authenticated') {
      throw new TypeError("access: 'authenticated' needs auth: without it, no client has an identity");
    }
    const blocks = new AddressBlocks(blockedAddresses);
    const origins = allowedOrigins ? new Origins(allowedOrigins) : this.#options.origins;
    const local = thisMachine && access === undefined ? [thisMachine] : [];
    const closed = auth ? [...auth, new SingleAccess(access)] : [];
    return {
      origins,
      admission: new AdmissionChain([blocks, ...local, origins, ...closed, ...this.#own, ...this.#last], this.#chain),
    };
  }
}

function assertAdmission(admission: Admission): void {
  if (typeof admission?.admit === 'function' && typeof admission.name === 'string') return;
  throw new TypeError('admissions: each admission needs a name and a method admit');
}
