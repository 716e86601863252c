import { WakeSignal } from '../../../core/time/wake-signal.js';
import type { Channel, ConsumeMessage } from '../connection/amqp.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import { offsetOf } from '../messages/message.js';
import type { StreamEntry } from '../messages/stream-entry.js';

export interface CursorOptions<Entry> {
  readonly stream: string;
  /**
   * Where to start: the first entry, the first entry of the last chunk, or the first entry with at least this offset.
   */
  readonly from: number | 'first' | 'last';
  /** The maximum number of messages that the broker sends ahead of acknowledgements. */
  readonly prefetch: number;
  readonly decode: (message: ConsumeMessage) => Entry;
}

/**
 * Reads a stream forward from an offset, as fast as its entries are taken. If the stream ends before that offset, it
 * never delivers an entry. If the stream begins after it, it starts with the first entry.
 */
export class Cursor<Entry = StreamEntry> {
  readonly #link: AmqpConnection;
  readonly #channel: Channel;
  readonly #options: CursorOptions<Entry>;
  readonly #news = new WakeSignal();
  #delivered: ConsumeMessage[] = [];
  #taken = 0;
  #unacknowledged = 0;
  #failure: Error | undefined;

  static async open<Entry>(link: AmqpConnection, options: CursorOptions<Entry>): Promise<Cursor<Entry>> {
    const channel = await link.channel();
    const cursor = new Cursor(link, channel, options);
    try {
      await link.answer('prefetch', channel.prefetch(options.prefetch));
      await link.answer(
        'consuming the stream',
        channel.consume(options.stream, (message) => cursor.#deliver(message), {
          arguments: {
            'x-stream-offset': typeof options.from === 'number' ? toStreamOffset(options.from) : options.from,
          },
        }),
      );
    } catch (error) {
      await cursor.close();
      throw error;
    }
    return cursor;
  }

  private constructor(link: AmqpConnection, channel: Channel, options: CursorOptions<Entry>) {
    this.#link = link;
    this.#channel = channel;
    this.#options = options;
    channel.on('error', (error) => this.#fail(error));
    channel.on('close', () => this.#fail(link.failure ?? new Error('the consumer was closed')));
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Returns the next entry if it has arrived, and acknowledges it, so that the broker sends another. */
  take(): Entry | undefined {
    const message = this.#delivered[this.#taken];
    if (!message) return undefined;
    this.#taken += 1;
    this.#unacknowledged += 1;
    const empty = this.#taken === this.#delivered.length;
    if (empty) {
      this.#delivered = [];
      this.#taken = 0;
    }
    // Acknowledges in groups, and always when nothing is left: the broker closes a consumer that owes an
    // acknowledgement for half an hour.
    if (empty || this.#unacknowledged * 10 >= this.#options.prefetch) this.#acknowledge(message);
    return this.#options.decode(message);
  }

  /** Returns the entry that `take` would return. */
  peek(): Entry | undefined {
    const message = this.#delivered[this.#taken];
    return message && this.#options.decode(message);
  }

  /** The offset of the entry that `take` would return. */
  get nextOffset(): number | undefined {
    const message = this.#delivered[this.#taken];
    return message && offsetOf(message);
  }

  /**
   * Resolves with true when an entry is available, or with false after the time limit.
   * @throws Error if the cursor has failed
   */
  async ready(withinMs?: number): Promise<boolean> {
    const deadline = withinMs === undefined ? undefined : performance.now() + withinMs;
    while (this.#taken === this.#delivered.length) {
      if (this.#failure) throw this.#failure;
      const remaining = deadline === undefined ? undefined : deadline - performance.now();
      if (remaining !== undefined && remaining <= 0) return false;
      await this.#news.wait(remaining);
    }
    return true;
  }

  /** Returns the next entry; undefined if none arrived in time. @throws Error if the cursor has failed */
  async next(withinMs: number): Promise<Entry | undefined> {
    return this.take() ?? ((await this.ready(withinMs)) ? this.take() : undefined);
  }

  async close(): Promise<void> {
    this.#failure ??= new Error('the cursor was closed');
    this.#delivered = [];
    this.#taken = 0;
    this.#news.ring();
    await this.#link.closeChannel(this.#channel);
  }

  #deliver(message: ConsumeMessage | null): void {
    if (this.#failure) return;
    // The broker sends this notice when the queue is deleted.
    if (message === null) this.#fail(new Error(`the queue ${this.#options.stream} was deleted`));
    else this.#delivered.push(message);
    this.#news.ring();
  }

  #acknowledge(message: ConsumeMessage): void {
    this.#unacknowledged = 0;
    if (!this.#failure) this.#channel.ack(message, true);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#news.ring();
  }
}

/** Converts to the broker's offset, always with the same integer width. */
function toStreamOffset(offset: number): unknown {
  return { '!': 'int64', value: offset - 1 };
}
