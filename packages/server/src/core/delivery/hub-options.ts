import type { RequestId, Since } from '@pregon/protocol';
import type { DeliveryTally } from '../counters/delivery-tally.js';
import type { TurnBudget } from '../incoming/turn-budget.js';
import type { Sink } from '../ports/link.js';
import type { Log } from '../ports/log.js';
import type { LogEntry } from '../ports/log-entry.js';
import type { LogChange } from '../ports/observer.js';
import type { PositionCodec } from '../ports/positions.js';
import type { SnapshotSupply, SubscriptionOwner } from '../subscriptions/subscription.js';
import type { Clock } from '../time/clock.js';
import type { Filter } from '../topics/filter.js';
import type { ArrivalsLimits } from './arrivals.js';

export interface HubOptions {
  readonly log: Log;
  readonly positions: PositionCodec;
  readonly historyBytes: number;
  readonly flushIntervalMs: number;
  readonly clock: Clock;
  /** Limits of the events that wait for a flush. */
  readonly arrivals?: ArrivalsLimits;
  /** The budget that counts the time of subscriptions that are behind. @default a budget of its own */
  readonly turn?: TurnBudget;
  /** Whether to count events by exchange as they are read. @default false */
  readonly counting?: boolean;
  /**
   * Called with new events of the reserved exchange, in log order, before any event after them is delivered. Must not
   * throw. @default they are ignored
   */
  readonly onReserved?: ((entries: readonly LogEntry[]) => void) | undefined;
  /** Called before events are delivered, new and replayed. Must not throw. @default nothing is called */
  readonly beforeDelivery?: (() => void) | undefined;
  /** Called when the log becomes unreadable, when it is readable again, and when it was replaced by another log. */
  readonly onLog: (change: LogChange) => void;
}

export interface SubscribeRequest {
  readonly id: RequestId;
  readonly sink: Sink;
  readonly filter: Filter;
  /** Counts the deliveries to the subscription. @default nothing is counted */
  readonly tally?: DeliveryTally | undefined;
  readonly since: Since | undefined;
  /** Whether the event at `since` is delivered once more. @default false */
  readonly again?: boolean;
  /** Whether the client asked for all that its rights allow. @default false */
  readonly takesAll?: boolean | undefined;
  /** Reads the snapshot if `since` is absent or cannot be served. Undefined for no snapshot. */
  readonly snapshots: SnapshotSupply | undefined;
  readonly owner: SubscriptionOwner;
}
