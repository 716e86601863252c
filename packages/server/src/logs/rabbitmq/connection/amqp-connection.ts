import { toError } from '@pregon/protocol';
import { answerWithin } from '../../../core/time/deadline.js';
import { type Channel, type ChannelModel, type ConfirmChannel, destroyAmqp } from './amqp.js';

/**
 * How long the broker may take to answer. A broker that has just started may take a connection, and then never answer a single
 * call on it: a connection made a moment later works.
 */
const ANSWER_MS = 5_000;
const CLOSE_MS = 1_000;

/** One connection, from its handshake to its end. Whoever finds that it no longer does its work ends it for all. */
export class AmqpConnection {
  /** Resolves, once, with the reason for which the connection ended. */
  readonly lost: Promise<Error>;
  readonly #model: ChannelModel;
  #failure: Error | undefined;

  /** @param onBlocked the broker takes no more messages for now, and why */
  constructor(model: ChannelModel, onBlocked: (reason: string) => void) {
    this.#model = model;
    this.lost = new Promise((resolve) => {
      model.on('error', (error: Error) => {
        this.#failure ??= error;
      });
      model.on('close', (error?: Error) => {
        this.#failure ??= error ?? new Error('the connection was closed');
        resolve(this.#failure);
      });
    });
    model.on('blocked', onBlocked);
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Why it ended; undefined while it is open. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  async channel(): Promise<Channel> {
    const channel = await this.answer('opening a channel', this.#model.createChannel());
    return withErrorsHeard(channel);
  }

  async confirmChannel(): Promise<ConfirmChannel> {
    const channel = await this.answer('opening a channel', this.#model.createConfirmChannel());
    return withErrorsHeard(channel);
  }

  /** Does something on a channel of its own: a call that the broker refuses costs no more than that. */
  async onChannel<Result>(work: (channel: Channel) => Promise<Result>): Promise<Result> {
    const channel = await this.channel();
    try {
      return await this.answer('asking the broker', work(channel));
    } finally {
      await this.closeChannel(channel);
    }
  }

  async closeChannel(channel: Channel): Promise<void> {
    if (!this.isOpen) return;
    try {
      await this.answer('closing a channel', channel.close());
    } catch {
      // It was closed already, by the broker or together with the connection.
    }
  }

  /** @throws Error what the call throws, or that it was not answered in time: then the connection has ended */
  async answer<Result>(what: string, call: Promise<Result>): Promise<Result> {
    let settled = false;
    const marked = call.finally(() => {
      settled = true;
    });
    try {
      return await answerWithin(ANSWER_MS, what, marked);
    } catch (error) {
      if (!settled) this.fail(toError(error));
      throw error;
    }
  }

  /** Ends the connection at once. */
  fail(reason: Error): void {
    if (!this.isOpen) return;
    this.#failure = reason;
    destroyAmqp(this.#model, reason);
  }

  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.#failure = new Error('the connection was closed');
    try {
      await answerWithin(CLOSE_MS, 'closing the connection', this.#model.close());
    } catch (error) {
      destroyAmqp(this.#model, toError(error));
    }
  }
}

/** Without a listener, an error of a channel would end the process. Whoever waits for an answer, or for the end, is told. */
function withErrorsHeard<Kind extends Channel>(channel: Kind): Kind {
  channel.on('error', () => {});
  return channel;
}
