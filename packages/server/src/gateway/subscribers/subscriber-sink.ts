import type { RequestId } from '@pregon/protocol';
import type { DeliveredEvent, EventChunk } from '../../core/ports/delivery.js';
import type { ControlFrame, Sink } from '../../core/ports/link.js';
import type { Subscription } from '../../core/subscriptions/subscription.js';
import type { Logger, Subscriber } from '../options.js';

/**
 * The sink of a subscriber in this process, which is served like a client. While the subscriber handles events, its
 * sink is full and its cursor waits.
 */
export class SubscriberSink implements Sink {
  readonly #subscriber: Subscriber;
  readonly #name: string;
  readonly #logger: Logger;
  #queue: DeliveredEvent[] = [];
  #working: Promise<void> | undefined;
  #closed = false;
  /** Set when the hub has opened the subscription. */
  subscription: Subscription | undefined;

  constructor(subscriber: Subscriber, name: string, logger: Logger) {
    this.#subscriber = subscriber;
    this.#name = name;
    this.#logger = logger;
  }

  get full(): boolean {
    return this.#working !== undefined;
  }

  events(_id: RequestId, chunk: EventChunk): void {
    this.#queue.push(...chunk.events);
    this.#working ??= this.#work();
  }

  control(frame: ControlFrame): void {
    if (frame.op === 'reset') {
      this.#logger.warn(
        { subscriber: this.#name, reason: frame.reason },
        'events were missed: the log no longer has them',
      );
    }
  }

  /** Passes on no more events; resolves when the current event has been handled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    // The flush that delivers the events must not wait for the subscriber.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const events = this.#queue;
      this.#queue = [];
      for (const event of events) if (!this.#closed) await this.#handle(event);
    }
    this.#working = undefined;
    this.subscription?.advance();
  }

  async #handle(event: DeliveredEvent): Promise<void> {
    try {
      await this.#subscriber.handle(event.parse());
    } catch (error) {
      this.#logger.error({ subscriber: this.#name, position: event.position, err: error }, 'a subscriber failed');
    }
  }
}
