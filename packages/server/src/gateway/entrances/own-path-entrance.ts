import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { OwnPath, TransportEntrance } from '../../core/ports/transport.js';
import type { Entrance } from '../../transports/entrance.js';
import { type Claim, claimBelow, isClaimed } from '../../transports/http/claim.js';
import { canonicalTargetPath } from '../../transports/http/path.js';
import { targetPath } from '../../transports/http/query.js';
import { carrierOf, refuseRequest, refuseUpgrade } from '../../transports/http/refusal.js';
import type { TransportFailures } from './transport-failures.js';

const NOT_TAKEN = { status: 404, message: 'nothing is served at this path' };

/** The entrance of a transport that has a path of its own, beside the routes. */
export class OwnPathEntrance implements Entrance {
  readonly claims: readonly Claim[];
  readonly #entrance: TransportEntrance;
  readonly #own: OwnPath;
  readonly #claim: Claim;
  readonly #failures: TransportFailures;

  constructor(entrance: TransportEntrance, own: OwnPath, failures: TransportFailures) {
    this.#claim = claimBelow(own.path);
    this.claims = [this.#claim];
    this.#entrance = entrance;
    this.#own = own;
    this.#failures = failures;
  }

  knows(target: string | undefined): boolean {
    if (this.#own.knows) return this.#own.knows(target);
    return isClaimed(this.#claim, canonicalTargetPath(targetPath(target)));
  }

  arrives(request: IncomingMessage): boolean {
    return this.#own.arrives?.(request) ?? true;
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    this.#failures.guard(request, carrierOf(request, response), () => {
      if (!this.#entrance.request || !this.#entrance.takes(request)) return refuseRequest(response, NOT_TAKEN);
      return this.#entrance.request(request, response);
    });
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.#failures.guard(request, stream, () => {
      if (!this.#entrance.upgrade || !this.#entrance.takes(request)) return refuseUpgrade(stream, NOT_TAKEN);
      return this.#entrance.upgrade(request, stream, head);
    });
  }

  destroy(): void {
    this.#entrance.destroy();
  }
}
