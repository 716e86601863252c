import { assertEvent, PregonError, type PregonEvent, toError } from '@pregon/protocol';
import { v7 as uuid } from 'uuid';
import { MAX_DELIVERIES, type QueueName } from '../../../core/ports/work-queue.js';
import { Backoff } from '../../../core/time/backoff.js';
import { pause } from '../../../core/time/deadline.js';
import { WakeSignal } from '../../../core/time/wake-signal.js';
import type { Channel, ConsumeMessage } from '../connection/amqp.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import type { RabbitConnection } from '../connection/connection.js';
import { toForeignEvent } from '../messages/foreign.js';

/** Set by quorum queues: the number of earlier deliveries of a message, to any consumer. */
const DELIVERIES_HEADER = 'x-delivery-count';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
/** The delay before a failed message is delivered again: 100, 200, 400, 800 ms. */
const FIRST_RETRY_MS = 100;

export interface WorkerOptions {
  readonly name: QueueName;
  readonly connection: RabbitConnection;
  /** Creates what is missing at the broker. */
  readonly prepare: (link: AmqpConnection) => Promise<void>;
  readonly handle: (event: PregonEvent) => Promise<void>;
  readonly maxEventBytes: number;
  readonly onWarning: (error: Error) => void;
}

/** Consumes one queue, one message at a time, and continues after each lost connection. */
export class QueueConsumer {
  readonly #options: WorkerOptions;
  readonly #stopping = new AbortController();
  readonly #news = new WakeSignal();
  /** The consumer on the current connection. */
  #consuming: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /**
   * Resolves when it consumes.
   *
   * @throws PregonError CONFIG_INVALID if the queue or the exchange cannot be used | LOG_CLOSED
   */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      void this.#run(resolve, reject);
    });
  }

  /** Resolves when the running handler has finished and its message is acknowledged. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#news.ring();
    try {
      await this.#consuming;
    } catch {
      // The connection was lost in the meantime; it is not reopened.
    }
  }

  async #run(started: () => void, failed: (error: Error) => void): Promise<void> {
    const { signal } = this.#stopping;
    const backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random);
    let hasStarted = false;
    while (!signal.aborted) {
      try {
        const link = await this.#options.connection.link();
        if (signal.aborted) break;
        this.#consuming = this.#consume(link, () => {
          hasStarted = true;
          backoff.reset();
          started();
        });
        await this.#consuming;
      } catch (error) {
        if (isFinal(error, hasStarted)) return failed(toError(error));
        if (hasStarted && !signal.aborted) this.#report('it is not consumed for now', error);
      }
      if (!signal.aborted) await pause(backoff.nextMs(), signal);
    }
    failed(new PregonError('LOG_CLOSED', 'the consumer of the queue was stopped'));
  }

  /** Returns when the consumer was stopped; otherwise throws. */
  async #consume(link: AmqpConnection, started: () => void): Promise<void> {
    await this.#options.prepare(link);
    const channel = await link.channel();
    let waiting: ConsumeMessage | undefined;
    let failure: Error | undefined;
    const fail = (error: Error) => {
      failure ??= error;
      this.#news.ring();
    };
    channel.on('error', fail);
    channel.on('close', () => fail(new Error('the channel was closed')));
    const take = (message: ConsumeMessage | null) => {
      if (message) waiting = message;
      else fail(new Error('the queue was deleted'));
      this.#news.ring();
    };
    try {
      // One message at a time: an unstarted message that a consumer holds would count as a delivery when the consumer
      // disconnects.
      await link.answer('prefetch', channel.prefetch(1));
      await link.answer('consuming', channel.consume(this.#options.name.queue, take));
      started();
      while (!this.#stopping.signal.aborted) {
        if (failure) throw failure;
        const message = waiting;
        waiting = undefined;
        if (!message) await this.#news.wait();
        else await this.#settle(channel, message, () => failure !== undefined);
      }
    } finally {
      await link.closeChannel(channel);
    }
  }

  async #settle(channel: Channel, message: ConsumeMessage, isLost: () => boolean): Promise<void> {
    const isDone = await this.#work(message);
    // The channel is gone, so the broker delivers the message to another consumer.
    if (isLost()) return;
    if (isDone) channel.ack(message);
    else channel.nack(message, false, true);
  }

  /** @returns false if the message must be delivered again */
  async #work(message: ConsumeMessage): Promise<boolean> {
    const before = deliveriesBefore(message);
    const event = this.#read(message);
    if (!event) return true;
    if (before >= MAX_DELIVERIES) return this.#giveUp(event, new Error('its consumers disconnected each time'));
    try {
      await this.#options.handle(event);
      return true;
    } catch (error) {
      if (before + 1 >= MAX_DELIVERIES) return this.#giveUp(event, error);
      await pause(FIRST_RETRY_MS * 2 ** before, this.#stopping.signal);
      return false;
    }
  }

  #giveUp(event: PregonEvent, error: unknown): true {
    this.#report(`event ${JSON.stringify(event.id)} was dropped after ${MAX_DELIVERIES} deliveries`, error);
    return true;
  }

  /** Returns undefined, and reports it, if the message is not an event: no other consumer could read it either. */
  #read(message: ConsumeMessage): PregonEvent | undefined {
    const { maxEventBytes, name } = this.#options;
    // A queue has no offsets. An id made from the content would turn two equal messages into one event.
    const messageId: unknown = message.properties.messageId || uuid();
    const identified = { ...message, properties: { ...message.properties, messageId } };
    try {
      const { payload } = toForeignEvent(identified, { stream: name.queue, offset: 0, maxEventBytes });
      const event: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
      assertEvent(event);
      return event;
    } catch (error) {
      this.#report('a message was dropped, because it is not an event', error);
      return undefined;
    }
  }

  #report(what: string, error: unknown): void {
    const { exchange, queue } = this.#options.name;
    const cause = toError(error);
    this.#options.onWarning(new Error(`queue ${exchange}:${queue}: ${what}: ${cause.message}`, { cause }));
  }
}

function isFinal(error: unknown, hasStarted: boolean): boolean {
  if (!(error instanceof PregonError)) return false;
  return error.code === 'LOG_CLOSED' || (error.code === 'CONFIG_INVALID' && !hasStarted);
}

function deliveriesBefore({ properties }: ConsumeMessage): number {
  const count: unknown = properties.headers?.[DELIVERIES_HEADER];
  return typeof count === 'number' ? count : 0;
}
