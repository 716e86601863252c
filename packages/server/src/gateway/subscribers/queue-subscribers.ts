import { PregonError, type PregonEvent } from '@pregon/protocol';
import type { Log } from '../../core/ports/log.js';
import type { QueueName, StopConsuming } from '../../core/ports/work-queue.js';
import type { Logger, Subscriber } from '../options.js';

/**
 * Subscribers that share the events of a queue with those of other gateways. Each event is handled by one gateway, by
 * all of its subscribers for that type.
 */
export class QueueSubscribers {
  readonly #subscribers: readonly Subscriber[];
  readonly #logger: Logger;
  readonly #stops: StopConsuming[] = [];

  private constructor(subscribers: readonly Subscriber[], logger: Logger) {
    this.#subscribers = subscribers;
    this.#logger = logger;
  }

  /** @throws PregonError CONFIG_INVALID if the log has no queues; LOG_UNAVAILABLE */
  static async start(
    log: Log,
    queues: readonly QueueName[],
    subscribers: readonly Subscriber[],
    logger: Logger,
  ): Promise<QueueSubscribers> {
    const { queues: offered } = log;
    if (!offered) {
      throw new PregonError('CONFIG_INVALID', `${log.name} has no queues: "exchange:queue" needs a log on RabbitMQ`);
    }
    const started = new QueueSubscribers(subscribers, logger);
    for (const queue of queues) {
      started.#stops.push(await offered.consume(queue, (event) => started.#handle(event)));
    }
    return started;
  }

  /** Takes no more events; resolves when the current events have been handled. */
  async stop(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()));
  }

  async #handle(event: PregonEvent): Promise<void> {
    for (const subscriber of this.#subscribers) {
      const { events, name } = subscriber;
      if (!events.includes('*') && !events.includes(event.type)) continue;
      try {
        await subscriber.handle(event);
      } catch (error) {
        this.#logger.error(
          { subscriber: name, event: event.id, err: error },
          'a subscriber failed; the event will be tried again',
        );
        throw error;
      }
    }
  }
}
