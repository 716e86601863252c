import { randomBytes } from 'node:crypto';
import { PregonError, toError } from '@pregon/protocol';
import { Backoff } from '../../../core/time/backoff.js';
import { answerWithin, pause } from '../../../core/time/deadline.js';
import type { ConsumeMessage } from '../connection/amqp.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import type { RabbitConnection } from '../connection/connection.js';
import { isRefused } from '../topology.js';
import { ensureKeyStream, keyStreamOf, storeInStream, unusableKeys } from './storage.js';

const SECRET_BYTES = 32;
const SECRET_HEADER = 'pregon-secret';

/**
 * The time that a stream with a secret has to deliver it before this process offers another one. A surplus offer does
 * no harm.
 */
const LOOK_MS = 250;
const ANSWER_MS = 5_000;
/** Values that the log keeps outside retention may come before the secret, if a configured secret was used first. */
const PREFETCH = 1_000;

/** A broker that has just started may refuse the first attempts, which does not deserve a warning. */
const TOLD_AT_ATTEMPT = 5;

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;

export interface KeyStreamOptions {
  readonly connection: RabbitConnection;
  /** The stream that holds the log. */
  readonly stream: string;
  /** Aborted when the log is closed. */
  readonly signal: AbortSignal;
  /** Called once if the secret cannot be read for now although the broker can be reached. */
  readonly onWaiting: (error: Error) => void;
}

/**
 * The secret of a log at a broker, in a second stream without retention. Processes that start at the same time may all
 * offer a secret. A stream has one order for all readers, so all of them use the first secret in it.
 */
export class KeyStream {
  readonly #options: KeyStreamOptions;
  readonly #name: string;

  constructor(options: KeyStreamOptions) {
    this.#options = options;
    this.#name = keyStreamOf(options.stream);
  }

  /**
   * Returns the secret; waits while the broker is away.
   * @throws PregonError CONFIG_INVALID if this user may not create the stream | LOG_CLOSED
   */
  async secret(): Promise<Uint8Array> {
    const { connection, signal, onWaiting } = this.#options;
    const backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random);
    for (let attempt = 1; ; attempt++) {
      if (signal.aborted) throw new PregonError('LOG_CLOSED', 'the log is closed');
      try {
        return await this.#readOrOffer(await connection.link());
      } catch (error) {
        if (error instanceof PregonError) throw error;
        // Retries cannot help: an operator must grant the permission.
        if (isRefused(error)) throw unusableKeys(this.#name, 'the secret of the log', error);
        if (attempt === TOLD_AT_ATTEMPT) onWaiting(toError(error));
      }
      await pause(backoff.nextMs(), signal);
    }
  }

  async #readOrOffer(link: AmqpConnection): Promise<Uint8Array> {
    await ensureKeyStream(link, this.#name, 'the secret of the log');
    const reading = await this.#read(link);
    try {
      return await answerWithin(LOOK_MS, 'reading the secret', reading.secret).catch(async () => {
        await storeInStream(link, this.#name, randomBytes(SECRET_BYTES), { [SECRET_HEADER]: 1 });
        return answerWithin(ANSWER_MS, 'reading the secret', reading.secret);
      });
    } finally {
      await reading.stop();
    }
  }

  /** Resolves with the first secret in the stream, however late it arrives. */
  async #read(link: AmqpConnection): Promise<{ secret: Promise<Uint8Array>; stop: () => Promise<void> }> {
    const channel = await link.channel();
    await link.answer('prefetch', channel.prefetch(PREFETCH));
    let found: (secret: Uint8Array) => void = () => {};
    let failed: (error: Error) => void = () => {};
    const secret = new Promise<Uint8Array>((resolve, reject) => {
      found = resolve;
      failed = reject;
    });
    // The caller may have stopped waiting; a later failure must not become an unhandled rejection.
    secret.catch(() => {});
    channel.on('close', () => failed(link.failure ?? new Error('the consumer was closed')));
    const deliver = (message: ConsumeMessage | null) => {
      if (message === null) return failed(new Error(`the queue ${this.#name} was deleted`));
      const body = secretIn(message);
      if (body) found(body);
      channel.ack(message);
    };
    const consume = channel.consume(this.#name, deliver, { arguments: { 'x-stream-offset': 'first' } });
    await link.answer('consuming the stream of keys', consume);
    return { secret, stop: () => link.closeChannel(channel) };
  }
}

function secretIn({ content, properties }: ConsumeMessage): Uint8Array | undefined {
  const isSecret = properties.headers?.[SECRET_HEADER] === 1 && content.length === SECRET_BYTES;
  // A copy, because the content is a slice of a larger receive buffer.
  return isSecret ? Uint8Array.from(content) : undefined;
}
