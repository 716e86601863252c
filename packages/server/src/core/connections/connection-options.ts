import type { Hub } from '../delivery/hub.js';
import type { Intake } from '../incoming/intake.js';
import type { ServedRoute } from '../routes/served-route.js';
import type { SubscriptionLimits } from '../topics/topic-limits.js';
import type { AccessOptions } from './access/connection-access.js';
import type { ConnectionRequest } from './connection.js';

export interface ConnectionOptions extends AccessOptions {
  readonly id: string;
  readonly route: ServedRoute;
  readonly request: ConnectionRequest;
  readonly hub: Hub;
  readonly limits: SubscriptionLimits;
  readonly now: number;
  /** @default no rate limits */
  readonly intake?: Intake;
}
