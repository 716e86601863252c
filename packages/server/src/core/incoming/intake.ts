import type { Clock } from '../time/clock.js';
import { Rate } from './token-bucket.js';
import { TurnBudget } from './turn-budget.js';

/** The limits of one connection's frames and requests; 0 means no limit. Documented at `GatewayLimits`. */
export interface IntakeLimits {
  readonly maxFramesPerSecond: number;
  readonly frameBurst: number;
  readonly maxIncomingBytesPerSecond: number;
  readonly incomingBytesBurst: number;
  readonly maxSubscribesPerSecond: number;
  readonly subscribeBurst: number;
  readonly maxReplaysPerMinute: number;
  readonly replayBurst: number;
  readonly maxSnapshotsPerMinute: number;
  readonly snapshotBurst: number;
}

/**
 * Rate limits for incoming frames and requests: one object for all connections of all transports. The rates apply to
 * each connection, which keeps its own state of them. All connections share the turn budget.
 */
export class Intake {
  readonly clock: Clock;
  readonly turn: TurnBudget;
  /** Frames or packets, of any kind. */
  readonly frames: Rate;
  /** Bytes of messages, after decompression. */
  readonly bytes: Rate;
  readonly subscribes: Rate;
  readonly replays: Rate;
  readonly snapshots: Rate;

  constructor(limits: IntakeLimits, clock: Clock) {
    this.clock = clock;
    this.turn = new TurnBudget(clock);
    this.frames = new Rate({ perSecond: limits.maxFramesPerSecond, burst: limits.frameBurst });
    this.bytes = new Rate({ perSecond: limits.maxIncomingBytesPerSecond, burst: limits.incomingBytesBurst });
    this.subscribes = new Rate({ perSecond: limits.maxSubscribesPerSecond, burst: limits.subscribeBurst });
    this.replays = new Rate({ perSecond: limits.maxReplaysPerMinute / 60, burst: limits.replayBurst });
    this.snapshots = new Rate({ perSecond: limits.maxSnapshotsPerMinute / 60, burst: limits.snapshotBurst });
  }
}
