import { messageOf, PregonError, toError } from '@pregon/protocol';
import { Backoff } from '../../../core/time/backoff.js';
import { answerWithin, pause } from '../../../core/time/deadline.js';
import { WakeSignal } from '../../../core/time/wake-signal.js';
import type { ConfirmChannel } from '../connection/amqp.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import type { RabbitConnection } from '../connection/connection.js';
import type { Outgoing } from '../messages/message.js';
import { isRefused, type Topology } from '../topology.js';
import { StreamWatch } from './stream-watch.js';

/** The limits for messages that are sent and not confirmed. */
const WINDOW_COUNT = 1_000;
const WINDOW_BYTES = 8_388_608;

const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 500;
/**
 * The time limit for the first confirm on a channel. On a channel that was opened while the stream was starting, it
 * never arrives.
 */
const FIRST_PATIENCE_MS = 1_000;
/**
 * The maximum of that limit, which doubles after each failure; also the limit on a channel that has confirmed before.
 */
const MAX_PATIENCE_MS = 10_000;
const EXPIRY_CHECK_MS = 250;

export interface ConfirmedPublisherOptions {
  readonly connection: RabbitConnection;
  readonly stream: string;
  readonly topology: Topology;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called each time that messages have to be published again. */
  readonly onRepeat: (error: Error) => void;
}

/** Messages that succeed together or fail together. */
interface Job {
  readonly messages: Set<Pending>;
  readonly expiresAt: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Pending {
  readonly message: Outgoing;
  readonly job: Job;
}

/** The state of one channel. */
interface Stretch {
  confirmed: boolean;
  watch: StreamWatch | undefined;
  /** Confirmed, but not yet proven to have reached the stream. */
  unproven: Pending[];
  proving: boolean;
  /** The exchanges from which a message has reached the stream. */
  readonly probed: Set<string>;
  /** The exchange whose first message is pending. */
  probing: string | undefined;
  /** The time of the last confirm, or of the start of the wait for one. */
  movedAt: number;
  failure: Error | undefined;
}

/**
 * Publishes messages in order, each until the broker has confirmed it with routing proven. It continues after restarts,
 * lost connections and deleted queues. Unconfirmed messages are published again, so a message may be in the stream
 * twice.
 *
 * **Routing.** `mandatory` proves that a message was routed to some queue, and a {@link StreamWatch} that the stream
 * existed all the time. Nothing proves its bindings. If an operator unbinds the stream from an exchange, or deletes and
 * recreates the exchange, events that are routed to another queue of the exchange are confirmed but are not in the
 * stream.
 *
 * **Order.** The first copies of messages are in the stream in the order of `publish`: publishing again starts with the
 * oldest unconfirmed message, and a channel keeps the order. This requires that each channel stored a prefix of what
 * was sent on it. A broker that has just started routes to nothing for a while, confirms that too, and may begin to
 * route in the middle of the pending messages. Therefore a new channel first tries each exchange with one message. If a
 * message is returned, no later confirm counts, the channel is closed, and publishing starts again. If an operator
 * removes a binding and restores it under load, an event can still come after later ones.
 */
export class ConfirmedPublisher {
  readonly #options: ConfirmedPublisherOptions;
  readonly #jobs = new Set<Job>();
  /** Both in the order of `publish`. */
  #waiting = new Set<Pending>();
  readonly #inFlight = new Set<Pending>();
  #inFlightBytes = 0;
  readonly #news = new WakeSignal();
  readonly #backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random);
  #patienceMs = FIRST_PATIENCE_MS;
  #trouble: Error | undefined;
  #running: Promise<void> | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ConfirmedPublisherOptions) {
    this.#options = options;
  }

  /**
   * Resolves when all messages are safe.
   *
   * @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED | CONFIG_INVALID | EXCHANGE_UNUSABLE; any prefix of the messages
   * may be stored then
   */
  publish(messages: readonly Outgoing[]): Promise<void> {
    if (messages.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const expiresAt = performance.now() + this.#options.timeoutMs;
      const job: Job = { messages: new Set(), expiresAt, resolve, reject };
      for (const message of messages) {
        const pending = { message, job };
        job.messages.add(pending);
        this.#waiting.add(pending);
      }
      this.#jobs.add(job);
      this.#expiry ??= setInterval(() => this.#expire(), EXPIRY_CHECK_MS);
      this.#running ??= this.#run();
      this.#news.ring();
    });
  }

  /** Rejects all pending calls. */
  close(): void {
    this.#closed = true;
    const closed = new PregonError('LOG_CLOSED', 'the log was closed before RabbitMQ confirmed the events');
    for (const job of [...this.#jobs]) this.#settle(job, closed);
    this.#news.ring();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      if (this.#jobs.size === 0) {
        await this.#news.wait();
        continue;
      }
      try {
        await this.#publishThrough(await this.#options.connection.link());
      } catch (error) {
        if (this.#closed) return;
        this.#takeBack(toError(error));
        await pause(this.#backoff.nextMs(), this.#options.signal);
      }
    }
  }

  /** Publishes on one channel until it fails. */
  async #publishThrough(link: AmqpConnection): Promise<void> {
    const channel = await link.confirmChannel();
    const stretch: Stretch = {
      confirmed: false,
      watch: undefined,
      unproven: [],
      proving: false,
      probed: new Set(),
      probing: undefined,
      movedAt: performance.now(),
      failure: undefined,
    };
    const fail = (error: Error) => {
      stretch.failure ??= error;
      this.#news.ring();
    };
    channel.on('error', fail);
    channel.on('close', () => fail(link.failure ?? new Error('the channel was closed')));
    channel.on('return', ({ fields }) => fail(new Error(`no queue is bound to the exchange ${fields.exchange}`)));
    try {
      while (!this.#closed) {
        await this.#send(link, channel, stretch);
        const patienceMs = stretch.confirmed ? MAX_PATIENCE_MS : this.#patienceMs;
        await this.#news.wait(this.#isAwaiting(stretch) ? patienceMs : undefined);
        if (stretch.failure) throw stretch.failure;
        this.#assertMoving(link, stretch, patienceMs);
      }
    } catch (error) {
      this.#refuse(stretch, error);
      throw error;
    } finally {
      stretch.failure ??= new Error('the channel was abandoned');
      stretch.watch?.close();
      // The stream, an exchange or a binding may be gone.
      this.#options.topology.forget(link);
      await link.closeChannel(channel);
    }
  }

  async #send(link: AmqpConnection, channel: ConfirmChannel, stretch: Stretch): Promise<void> {
    const { topology } = this.#options;
    for (const pending of this.#waiting) {
      if (stretch.probing !== undefined || stretch.failure) return;
      if (this.#inFlight.size >= WINDOW_COUNT || this.#inFlightBytes >= WINDOW_BYTES) return;
      const { exchange } = pending.message;
      if (!topology.isPrepared(link, exchange) && !(await this.#prepare(link, pending.job, exchange))) continue;
      stretch.watch ??= await this.#watch(link, channel, stretch);
      // The message may have expired in the meantime.
      if (!this.#waiting.delete(pending)) continue;
      if (this.#inFlight.size === 0) stretch.movedAt = performance.now();
      this.#inFlight.add(pending);
      this.#inFlightBytes += pending.message.body.length;
      if (!stretch.probed.has(exchange)) stretch.probing = exchange;
      this.#publish(channel, stretch, pending);
    }
  }

  /** Returns false if the exchange cannot be used: this fails only the job, no other one. */
  async #prepare(link: AmqpConnection, job: Job, exchange: string): Promise<boolean> {
    try {
      await this.#options.topology.prepare(link, exchange);
      return true;
    } catch (error) {
      if (!(error instanceof PregonError)) throw error;
      this.#settle(job, error);
      return false;
    }
  }

  /**
   * The broker closes the channel for a message that this user may not publish. Failing the job lets the others
   * continue.
   */
  #refuse({ probing }: Stretch, error: unknown): void {
    if (probing === undefined || !isRefused(error)) return;
    const message = messageOf(error);
    if (!message.includes(`'${probing}'`)) return;
    const refusal = `RabbitMQ refuses events for the exchange ${JSON.stringify(probing)}: ${message}`;
    for (const { job, message: sent } of [...this.#inFlight]) {
      if (sent.exchange !== probing) continue;
      this.#settle(job, new PregonError('EXCHANGE_UNUSABLE', refusal, { cause: error }));
    }
  }

  #publish(channel: ConfirmChannel, stretch: Stretch, pending: Pending): void {
    const { exchange, routingKey, body, options } = pending.message;
    channel.publish(exchange, routingKey, body, { ...options, mandatory: true }, (error: unknown) => {
      if (stretch.failure) return;
      if (error === null || error === undefined) {
        stretch.confirmed = true;
        stretch.movedAt = performance.now();
        stretch.unproven.push(pending);
        if (!stretch.proving) void this.#prove(stretch);
      } else {
        stretch.failure = toError(error);
        this.#news.ring();
      }
    });
  }

  async #watch(link: AmqpConnection, channel: ConfirmChannel, stretch: Stretch): Promise<StreamWatch> {
    const deleted = () => {
      stretch.failure ??= new Error('the stream was deleted');
      this.#news.ring();
    };
    const opening = StreamWatch.open(link, channel, this.#options.stream, deleted);
    let answered = false;
    const marked = opening.finally(() => {
      answered = true;
    });
    try {
      return await answerWithin(this.#patienceMs, 'watching the stream', marked);
    } catch (error) {
      if (!answered) this.#giveUp(link, toError(error));
      throw error;
    }
  }

  /** Asks the broker once for all messages that were confirmed before. */
  async #prove(stretch: Stretch): Promise<void> {
    stretch.proving = true;
    while (stretch.unproven.length > 0 && !stretch.failure) {
      const confirmed = stretch.unproven;
      stretch.unproven = [];
      try {
        await stretch.watch?.prove();
      } catch (error) {
        stretch.failure ??= toError(error);
      }
      // In the meantime, the stream may have been deleted, or a message returned.
      if (!stretch.failure) this.#settleProven(stretch, confirmed);
      this.#news.ring();
    }
    stretch.proving = false;
  }

  #settleProven(stretch: Stretch, proven: readonly Pending[]): void {
    stretch.movedAt = performance.now();
    for (const pending of proven) {
      const { exchange } = pending.message;
      stretch.probed.add(exchange);
      if (stretch.probing === exchange) stretch.probing = undefined;
      this.#confirm(pending);
    }
  }

  #confirm(pending: Pending): void {
    this.#backoff.reset();
    this.#patienceMs = FIRST_PATIENCE_MS;
    this.#trouble = undefined;
    this.#forget(pending);
    const { job } = pending;
    job.messages.delete(pending);
    if (job.messages.size === 0) this.#settle(job);
  }

  #forget(pending: Pending): void {
    this.#waiting.delete(pending);
    if (this.#inFlight.delete(pending)) this.#inFlightBytes -= pending.message.body.length;
  }

  /** The first message on an exchange blocks all others, even if its job has expired. */
  #isAwaiting({ probing }: Stretch): boolean {
    return this.#inFlight.size > 0 || probing !== undefined;
  }

  #assertMoving(link: AmqpConnection, stretch: Stretch, patienceMs: number): void {
    if (!this.#isAwaiting(stretch) || performance.now() - stretch.movedAt < patienceMs) return;
    const stalled = new Error(`RabbitMQ confirmed nothing for ${patienceMs} ms`);
    this.#giveUp(link, stalled);
    throw stalled;
  }

  #giveUp(link: AmqpConnection, reason: Error): void {
    this.#patienceMs = Math.min(this.#patienceMs * 2, MAX_PATIENCE_MS);
    link.fail(reason);
  }

  #takeBack(error: Error): void {
    this.#trouble = error;
    if (this.#inFlight.size > 0) this.#options.onRepeat(error);
    this.#waiting = new Set([...this.#inFlight, ...this.#waiting]);
    this.#inFlight.clear();
    this.#inFlightBytes = 0;
  }

  #expire(): void {
    const now = performance.now();
    for (const job of this.#jobs) {
      if (job.expiresAt > now) continue;
      const seconds = this.#options.timeoutMs / 1_000;
      const message = `RabbitMQ did not confirm the events within ${seconds} s`;
      const why = this.#trouble ? `${message}: ${this.#trouble.message}` : message;
      this.#settle(job, new PregonError('LOG_UNAVAILABLE', why, { cause: this.#trouble }));
    }
  }

  #settle(job: Job, error?: Error): void {
    for (const pending of job.messages) this.#forget(pending);
    this.#jobs.delete(job);
    if (error) job.reject(error);
    else job.resolve();
    if (this.#jobs.size > 0) return;
    clearInterval(this.#expiry);
    this.#expiry = undefined;
  }
}
