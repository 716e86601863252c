import type { Channel } from '../connection/amqp.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';

/** How long what is delivered waits for its acknowledgement, each of which brings more: a broker waits half an hour for one. */
const ACKNOWLEDGE_MS = 300_000;

const ACCESS_REFUSED = 403;

/** The links whose user may not consume the stream. */
const refused = new WeakSet<AmqpConnection>();

/**
 * Knows whether the stream that was there when watching began is still there. A broker that routes an event to any queue calls it
 * routed, so where another queue is bound to the same exchange, `mandatory` says nothing of the stream.
 *
 * Watches by a consumer, which the broker cancels some milliseconds after the queue was deleted, also where it was made anew. It
 * is sent a few messages, then no more until they are acknowledged: it costs next to nothing, however much is published.
 */
export class StreamWatch {
  readonly #channel: Channel;
  readonly #stream: string;
  #acknowledging: NodeJS.Timeout | undefined;

  /**
   * @param onDeleted called once
   * @throws Error the broker's; then the channel is closed. A user who may not consume is refused once on each link
   */
  static async open(
    link: AmqpConnection,
    channel: Channel,
    stream: string,
    onDeleted: () => void,
  ): Promise<StreamWatch> {
    const watch = new StreamWatch(channel, stream);
    if (refused.has(link)) return watch;
    try {
      await channel.prefetch(1);
      const arrived = (message: unknown) => (message === null ? onDeleted() : watch.#acknowledgeLater());
      await channel.consume(stream, arrived, { arguments: { 'x-stream-offset': 'next' } });
      return watch;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === ACCESS_REFUSED) refused.add(link);
      throw error;
    }
  }

  private constructor(channel: Channel, stream: string) {
    this.#channel = channel;
    this.#stream = stream;
  }

  /**
   * Resolves where the stream is there. What was confirmed before this was called has then reached it, unless it was deleted and
   * bound anew within the milliseconds that the broker takes to cancel a consumer, or unbound by hand.
   *
   * @throws Error the broker's, where it is not; then the channel is closed
   */
  async prove(): Promise<void> {
    await this.#channel.checkQueue(this.#stream);
  }

  close(): void {
    clearTimeout(this.#acknowledging);
  }

  #acknowledgeLater(): void {
    this.#acknowledging ??= setTimeout(() => {
      this.#acknowledging = undefined;
      this.#channel.ackAll();
    }, ACKNOWLEDGE_MS).unref();
  }
}
