import type { Ephemeral } from '../../core/ports/ephemeral.js';
import type { Log } from '../../core/ports/log.js';

/** A log that has such a way. */
export interface EphemeralLog extends Log {
  readonly ephemeral: Ephemeral;
}

/** A log under test, new and empty. */
export interface EphemeralSubject {
  readonly log: EphemeralLog;
  /** Another handle on the same log. @default the same one: the log has no more */
  another?(): Promise<EphemeralLog>;
  /** Closes all handles and cleans up. */
  dispose(): Promise<void>;
}

/** A kind of log that has a way between gateways, for {@link describeEphemeral}. */
export interface EphemeralKind {
  readonly name: string;
  /**
   * Whether each text that was dropped is counted. A broker drops the oldest of what waits in a member's queue, and tells nobody: there
   * order and bounds hold, and only what the sender dropped is counted. @default true
   */
  readonly countsAll?: boolean;
  create(): Promise<EphemeralSubject>;
  /** Of the random numbers, to try again what failed. @default another each time */
  readonly seed?: number;
}
