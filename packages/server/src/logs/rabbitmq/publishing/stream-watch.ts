import type { Channel } from '../connection/amqp.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';

/**
 * The time after which delivered messages are acknowledged, which brings more of them. The broker waits half an hour
 * for it.
 */
const ACKNOWLEDGE_MS = 300_000;

const ACCESS_REFUSED = 403;

/** The connections whose user may not consume the stream. */
const refused = new WeakSet<AmqpConnection>();

/**
 * Detects whether the stream has existed without interruption since watching began. `mandatory` does not suffice: the
 * broker counts an event as routed if any queue gets it, so another queue on the same exchange hides a missing stream.
 *
 * The watch is a consumer. The broker cancels it a few milliseconds after the queue was deleted, even if the queue was
 * recreated. The consumer gets a few messages, then no more until it acknowledges them, so it costs almost nothing
 * however much is published.
 */
export class StreamWatch {
  readonly #channel: Channel;
  readonly #stream: string;
  #acknowledging: NodeJS.Timeout | undefined;

  /**
   * @param onDeleted called once
   * @throws Error of the broker, which has then closed the channel. On each connection, this happens at most once for a
   * user who may not consume
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
   * Resolves if the stream exists. Messages that were confirmed before the call have then reached it, with two
   * exceptions: the stream was deleted and bound again within the milliseconds that the broker takes to cancel a
   * consumer, or it was unbound by hand.
   *
   * @throws Error of the broker if the stream does not exist; the broker has then closed the channel
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
