import { toError } from '@pregon/protocol';
import { answerWithin } from '../../../core/time/deadline.js';
import { type Channel, type ChannelModel, type ConfirmChannel, destroyAmqp } from './amqp.js';

/**
 * The time limit for an answer of the broker. A broker that has just started may accept a connection and then never
 * answer a call on it; a connection that is opened a moment later works.
 */
const ANSWER_MS = 5_000;
const CLOSE_MS = 1_000;

/** One connection, from its handshake to its end. Any user that finds it broken ends it for all. */
export class AmqpConnection {
  /** Resolves once, with the reason why the connection ended. */
  readonly lost: Promise<Error>;
  readonly #model: ChannelModel;
  #failure: Error | undefined;

  /** @param onBlocked called with the reason if the broker accepts no messages for now */
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

  /** The reason why it ended; undefined while it is open. */
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

  /** Runs `work` on a new channel: if the broker refuses a call, only this channel is closed. */
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
      // The broker has already closed it, or it was closed together with the connection.
    }
  }

  /** Waits for an answer of the broker. @throws Error of the call; or a timeout, which also ends the connection */
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

/**
 * Adds a listener, because an error of a channel without one would end the process. Callers get the error from their
 * call or from `close`.
 */
function withErrorsHeard<Kind extends Channel>(channel: Kind): Kind {
  channel.on('error', () => {});
  return channel;
}
