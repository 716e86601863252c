import type { PregonError } from '@pregon/protocol';
import type { Clock } from '../clock.js';
import { errorOfAnswer } from './answer.js';
import { ask, type Fetch } from './ask.js';

/** The minimum time between two requests, in milliseconds. */
const INTERVAL_MS = 10_000;

/** The time limit for an answer, in milliseconds. */
const ANSWER_MS = 5_000;

/** Finds out why attempts fail if the WebSocket of the platform does not report the reason. */
export class Inquiry {
  readonly #fetch: Fetch | undefined;
  readonly #clock: Clock;
  readonly #learned: (error: PregonError) => void;
  #askedAt = 0;
  #stop = () => {};

  constructor(
    { fetch, clock }: { readonly fetch: Fetch | undefined; readonly clock: Clock },
    learned: (error: PregonError) => void,
  ) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#learned = learned;
  }

  /**
   * Sends a request, unless the previous one was sent less than 10 s ago.
   *
   * @param url the URL of the WebSocket
   * @param wasWelcomed whether the gateway has admitted this client before. If so, an answer that the page may not read
   * is ignored: a proxy may send it while the gateway is down.
   */
  ask(url: string, wasWelcomed: boolean): void {
    const now = this.#clock.now();
    if (this.#fetch === undefined || Math.abs(now - this.#askedAt) < INTERVAL_MS) return;
    this.#askedAt = now;
    this.#stop();
    const controller = new AbortController();
    const cancel = this.#clock.after(ANSWER_MS, () => controller.abort());
    this.#stop = () => {
      cancel();
      controller.abort();
    };
    void ask(url, this.#fetch, controller.signal).then((answer) => {
      cancel();
      if (controller.signal.aborted || !answer || (wasWelcomed && answer === 'unreadable')) return;
      this.#learned(errorOfAnswer(url, answer, wasWelcomed));
    });
  }

  /** Aborts the request, because there is a connection or no connection is wanted. */
  stop(): void {
    this.#stop();
    this.#askedAt = 0;
  }
}
