import type { Ephemeral } from '../../core/ports/ephemeral.js';
import type { Log } from '../../core/ports/log.js';

/** A log with a channel between its gateways. */
export interface EphemeralLog extends Log {
  readonly ephemeral: Ephemeral;
}

/** A new, empty log under test. */
export interface EphemeralSubject {
  readonly log: EphemeralLog;
  /** Opens another handle on the same log. @default uses `log`, for a log that has only one handle */
  another?(): Promise<EphemeralLog>;
  /** Closes all handles and cleans up. */
  dispose(): Promise<void>;
}

/** A kind of log with a channel between gateways, for {@link describeEphemeral}. */
export interface EphemeralKind {
  readonly name: string;
  /**
   * Whether every dropped text is counted. Set it to false for a broker that drops the oldest texts of a member's queue
   * without notice: then the suite checks order and limits, and only the sender counts its dropped texts.
   *
   * @default true
   */
  readonly countsAll?: boolean;
  create(): Promise<EphemeralSubject>;
  /** The seed of the random numbers, to repeat a failed run. @default a random seed */
  readonly seed?: number;
}
