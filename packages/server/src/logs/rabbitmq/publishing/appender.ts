import { type LogPoint, PregonError, type PregonEvent } from '@pregon/protocol';
import { answerWithin, atMost } from '../../../core/time/deadline.js';
import { type EncodedEvent, encodeForAppend } from '../../shared/encode.js';
import { toUnavailable } from '../../shared/unavailable.js';
import { toKey, toMessage } from '../messages/message.js';
import type { Tail } from '../reading/tail.js';
import type { ConfirmedPublisher } from './confirmed-publisher.js';
import type { ReusedIds } from './reused-ids.js';

export interface AppenderOptions {
  readonly stream: string;
  readonly publisher: Pick<ConfirmedPublisher, 'publish'>;
  readonly tail: Pick<Tail, 'known' | 'seek'>;
  readonly ids: Pick<ReusedIds, 'claim' | 'forget'>;
  readonly maxEventBytes: number;
  readonly timeoutMs: number;
}

/** Appends events to the stream, in the order of the calls. */
export class Appender {
  readonly #options: AppenderOptions;
  readonly #appends = new Set<Promise<unknown>>();
  /** Resolves when the earlier appends have been passed to the publisher, so that appends keep their order. */
  #entered: Promise<unknown> = Promise.resolve();

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  /**
   * @param points whether to read the events back, which alone tells their points; otherwise the result is empty
   * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE | EXCHANGE_UNUSABLE | LOG_UNAVAILABLE
   */
  append(events: readonly PregonEvent[], points: boolean): Promise<LogPoint[]> {
    const append = this.#append(events, points);
    this.#appends.add(append);
    const done = () => this.#appends.delete(append);
    append.then(done, done);
    return append;
  }

  /** Waits for earlier appends, for at most this time. */
  async settled(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (this.#appends.size > 0 && performance.now() < deadline)
      await atMost(withinMs, Promise.allSettled(this.#appends));
  }

  async #append(events: readonly PregonEvent[], points: boolean): Promise<LogPoint[]> {
    const { tail, ids, maxEventBytes, timeoutMs } = this.#options;
    const encoded = encodeForAppend(events, maxEventBytes);
    if (encoded.length === 0) return [];
    const entered = this.#entered.then(async () => {
      if (points) await tail.known(timeoutMs);
      await ids.claim(encoded);
    });
    this.#entered = entered.catch(() => undefined);
    await entered;
    if (points) return this.#publishForPoints(encoded);
    await this.#publish(encoded);
    return [];
  }

  async #publish(events: readonly EncodedEvent[]): Promise<void> {
    const { publisher, ids, stream } = this.#options;
    try {
      await publisher.publish(events.map((event) => toMessage(event, stream)));
    } catch (error) {
      if (error instanceof PregonError && error.code === 'EXCHANGE_UNUSABLE') ids.forget(events);
      throw error;
    }
  }

  /**
   * The point of an event is known only from reading it; for an event that is already stored, it is that of the first
   * copy.
   */
  async #publishForPoints(events: readonly EncodedEvent[]): Promise<LogPoint[]> {
    const { tail, timeoutMs } = this.#options;
    const points: LogPoint[] = [];
    const seeks: (() => void)[] = [];
    const found = new Promise<void>((resolve) => {
      let missing = events.length;
      events.forEach(({ source, id }, index) => {
        const seek = tail.seek(toKey(source, id), (point) => {
          points[index] = point;
          missing -= 1;
          if (missing === 0) resolve();
        });
        seeks.push(seek);
      });
    });
    try {
      await this.#publish(events);
      await answerWithin(timeoutMs, 'reading the appended events back', found);
      return points;
    } catch (error) {
      throw error instanceof PregonError ? error : toUnavailable(error);
    } finally {
      for (const stop of seeks) stop();
    }
  }
}
