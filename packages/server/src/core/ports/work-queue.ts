import type { PregonEvent } from '@pregon/protocol';

/** A queue at an exchange. Gateways that name the same one compete for its events. */
export interface QueueName {
  readonly exchange: string;
  readonly queue: string;
}

/** Ends it: what is being handled is finished, what was handed over and not begun goes to others. */
export type StopConsuming = () => Promise<void>;

/**
 * What a broker offers to those who share work. Guarantees:
 *
 * - **One of them.** Each event that is published to the exchange once the queue is there is handed to one of its consumers.
 * - **At least once.** An event whose handling failed, or whose consumer went away, is handed out again: handling must bear that. One that
 *   failed {@link MAX_DELIVERIES} times is dropped and reported.
 * - **It waits.** Where nobody consumes, events wait in the queue.
 */
export interface WorkQueues {
  /**
   * Consumes a queue, which is made where it is missing, one event after the other.
   *
   * @param handle the event is done when it resolves
   */
  consume(name: QueueName, handle: (event: PregonEvent) => Promise<void>): Promise<StopConsuming>;
}

export const MAX_DELIVERIES = 5;
