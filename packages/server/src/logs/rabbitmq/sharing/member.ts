import { toError } from '@pregon/protocol';
import { v7 as uuid } from 'uuid';
import { type EphemeralMember, MAX_EPHEMERAL_BYTES } from '../../../core/ports/ephemeral.js';
import { Backoff } from '../../../core/time/backoff.js';
import { pause } from '../../../core/time/deadline.js';
import { reportUncaught } from '../../shared/report-uncaught.js';
import type { Channel, ConsumeMessage } from '../connection/amqp.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import type { RabbitConnection } from '../connection/connection.js';
import { Outbound } from './outbound.js';

const SENDER_HEADER = 'pregon-sender';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 10_000;
/** The time for which leaving waits for pending messages. */
const LEAVE_MS = 1_000;

export interface MemberOptions {
  readonly exchange: string;
  readonly connection: RabbitConnection;
  readonly hear: (text: string) => void;
  /** The broker does not let it join for now; called once until it does. */
  readonly onRefused: (error: Error) => void;
}

interface Attached {
  readonly link: AmqpConnection;
  readonly channel: Channel;
  /** Never rejects, because nobody waits for it before the member has joined. */
  readonly closed: Promise<void>;
}

/**
 * A member: an exclusive queue that is deleted with its connection. {@link RabbitMember.dropped} counts what was
 * dropped here, but not what the broker drops from a queue that grows too long.
 */
export class RabbitMember implements EphemeralMember {
  /** Resolves when it receives messages, or when it is known that it cannot for now. */
  readonly joined: Promise<void>;
  readonly #options: MemberOptions;
  readonly #id = uuid();
  readonly #outbound = new Outbound(MAX_EPHEMERAL_BYTES);
  readonly #leaving = new AbortController();
  #tellJoined = () => {};
  #attached: Attached | undefined;
  #left: Promise<void> | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.joined = new Promise((resolve) => {
      this.#tellJoined = resolve;
    });
    void this.#run();
  }

  get dropped(): number {
    return this.#outbound.dropped;
  }

  send(text: string): void {
    if (!this.#left) this.#outbound.send(text);
  }

  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  /** Drops waiting messages: they are meant for the members that are present now, and cannot reach them soon. */
  unreachable(): void {
    this.#outbound.drop();
    this.#tellJoined();
  }

  async #leave(): Promise<void> {
    await this.#outbound.flushed(LEAVE_MS);
    this.#leaving.abort();
    const attached = this.#attached;
    if (attached) await attached.link.closeChannel(attached.channel);
  }

  /** Ends when the member has left, or the log is closed. */
  async #run(): Promise<void> {
    const { connection, onRefused } = this.#options;
    const { signal } = this.#leaving;
    const backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random);
    let refused = false;
    // There is no connection only if the log is closed.
    for (let link = await linkOf(connection); link && !signal.aborted; link = await linkOf(connection)) {
      try {
        await this.#stayIn(link);
        backoff.reset();
        refused = false;
      } catch (error) {
        this.unreachable();
        if (link.isOpen && !refused) onRefused(toError(error));
        refused ||= link.isOpen;
      }
      await pause(backoff.nextMs(), signal);
    }
    this.unreachable();
  }

  async #stayIn(link: AmqpConnection): Promise<void> {
    const channel = await link.channel();
    const closed = new Promise<void>((resolve) => channel.once('close', () => resolve()));
    try {
      await link.answer('joining the other gateways', this.#join(channel));
    } catch (error) {
      await link.closeChannel(channel);
      throw error;
    }
    this.#attached = { link, channel, closed };
    const { exchange } = this.#options;
    const headers = { [SENDER_HEADER]: this.#id };
    channel.on('drain', () => this.#outbound.goOn());
    this.#outbound.open((body) => channel.publish(exchange, '', body, { headers }));
    this.#tellJoined();
    if (this.#leaving.signal.aborted) await link.closeChannel(channel);
    await closed;
    this.#attached = undefined;
    this.#outbound.shut();
  }

  async #join(channel: Channel): Promise<void> {
    const { exchange } = this.#options;
    const queue = `${exchange}.${this.#id}`;
    await channel.assertExchange(exchange, 'fanout', { durable: false, autoDelete: true });
    await channel.assertQueue(queue, {
      exclusive: true,
      autoDelete: true,
      durable: false,
      arguments: { 'x-max-length-bytes': MAX_EPHEMERAL_BYTES, 'x-overflow': 'drop-head' },
    });
    await channel.bindQueue(queue, exchange, '');
    await channel.consume(queue, (message) => this.#heard(message), { noAck: true });
  }

  #heard(message: ConsumeMessage | null): void {
    // The broker sends this notice when the queue is deleted; joining again creates another one.
    if (message === null) {
      const attached = this.#attached;
      if (attached) void attached.link.closeChannel(attached.channel);
      return;
    }
    const sender: unknown = message.properties.headers?.[SENDER_HEADER];
    if (sender === this.#id || this.#leaving.signal.aborted) return;
    reportUncaught(() => this.#options.hear(message.content.toString('utf8')));
  }
}

async function linkOf(connection: RabbitConnection): Promise<AmqpConnection | undefined> {
  try {
    return await connection.link();
  } catch {
    return undefined;
  }
}
