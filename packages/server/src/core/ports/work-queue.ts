import type { PregonEvent } from '@pregon/protocol';

/** A queue at an exchange. Gateways that use the same queue compete for its events. */
export interface QueueName {
  readonly exchange: string;
  readonly queue: string;
}

/**
 * Stops consuming. Events being handled are finished; events that were received but not begun go to other consumers.
 */
export type StopConsuming = () => Promise<void>;

/**
 * Queues of a broker for sharing work between processes. Guarantees:
 *
 * - **One consumer.** Each event that is published to the exchange after the queue exists is delivered to one of its
 *   consumers.
 * - **At least once.** An event is delivered again if its handling failed or its consumer disconnected, so handling
 *   must be idempotent. An event that failed {@link MAX_DELIVERIES} times is dropped and reported.
 * - **Waiting.** While a queue has no consumer, its events wait in it.
 */
export interface WorkQueues {
  /**
   * Consumes a queue, one event after the other. Creates the queue if it is missing.
   *
   * @param handle handles an event; the event is acknowledged when the promise resolves
   */
  consume(name: QueueName, handle: (event: PregonEvent) => Promise<void>): Promise<StopConsuming>;
}

export const MAX_DELIVERIES = 5;
