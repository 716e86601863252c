import { PregonError, toError } from '@pregon/protocol';
import { Backoff } from '../../../core/time/backoff.js';
import { pause } from '../../../core/time/deadline.js';
import type { RabbitAddress } from './address.js';
import { openAmqp, toRefusal } from './amqp.js';
import { AmqpConnection } from './amqp-connection.js';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;

export interface ConnectionOptions {
  readonly address: RabbitAddress;
  /** The purpose of the connection: `reads`, `publishes`. */
  readonly purpose: string;
  /** Whether the broker's refusal of the first connection is final, see {@link toRefusal}. */
  readonly refusable: boolean;
  /** Aborted when the log is closed. */
  readonly signal: AbortSignal;
  /** The broker cannot be reached; called once until it can. */
  readonly onWaiting: (error: Error) => void;
  readonly onConnected: () => void;
  readonly onBlocked: (reason: string) => void;
}

/** A connection that is opened on demand, and reopened with backoff after it was lost. */
export class RabbitConnection {
  readonly #options: ConnectionOptions;
  #current: Promise<AmqpConnection> | undefined;
  #link: AmqpConnection | undefined;
  #refusable: boolean;
  #isWaiting = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#refusable = options.refusable;
  }

  /** Whether the broker cannot be reached: `onWaiting` was called, and there has been no connection since. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /**
   * Resolves with the connection as soon as there is one, however long that takes.
   *
   * @throws PregonError CONFIG_INVALID if the broker refuses the first connection | LOG_CLOSED
   */
  link(): Promise<AmqpConnection> {
    this.#current ??= this.#connect();
    return this.#current;
  }

  async close(): Promise<void> {
    await this.#link?.close();
  }

  async #connect(): Promise<AmqpConnection> {
    const backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random);
    for (;;) {
      try {
        const link = await this.#try();
        if (this.#isWaiting) this.#options.onConnected();
        this.#isWaiting = false;
        return link;
      } catch (error) {
        // Only a refusal of the first connection is final: later, passwords may be changed, and brokers may be set up
        // again.
        if (error instanceof PregonError && (error.code === 'LOG_CLOSED' || this.#refusable)) throw error;
        const isNew = !this.#isWaiting;
        this.#isWaiting = true;
        if (isNew) this.#options.onWaiting(toError(error));
      }
      await pause(backoff.nextMs(), this.#options.signal);
    }
  }

  async #try(): Promise<AmqpConnection> {
    const { address, purpose, signal, onBlocked } = this.#options;
    assertOpen(signal);
    try {
      const link = new AmqpConnection(await openAmqp(address, purpose), onBlocked);
      if (signal.aborted) await link.close();
      assertOpen(signal);
      this.#refusable = false;
      this.#link = link;
      void link.lost.then(() => {
        this.#current = undefined;
        this.#link = undefined;
      });
      return link;
    } catch (error) {
      throw toRefusal(error, address) ?? error;
    }
  }
}

function assertOpen(signal: AbortSignal): void {
  if (signal.aborted) throw new PregonError('LOG_CLOSED', 'the log is closed');
}
