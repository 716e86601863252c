import { WebSocket } from 'ws';
import { afterTest } from '../cleanup.js';
import { within } from './inbox.js';

/**
 * Checks the order of numbered events, and keeps only the number of the last one, for more events than a test should
 * hold.
 */
export class OrderCheck {
  /** The number of the last event. */
  last: number;
  /** The first event that did not follow the last one. */
  wrong: string | undefined;
  readonly #waiting = new Set<() => void>();

  /** @param after the number before that of the first expected event */
  constructor(after: number) {
    this.last = after;
  }

  /** @param text the JSON text of an event, possibly with text around it */
  next(text: string): void {
    const number = Number(/"data":\{"n":(\d+)/.exec(text)?.[1]);
    if (number !== this.last + 1) {
      this.wrong ??= `after ${this.last} came ${text.slice(0, 200)}`;
    }
    this.last = number;
    for (const look of this.#waiting) look();
  }

  /** Waits until this event has arrived; fails if an earlier one was missing, out of order or repeated. */
  async reaches(number: number, deadlineMs = 100_000): Promise<void> {
    const reached = () => this.last >= number;
    if (!reached()) {
      let look = () => {};
      const come = new Promise<void>((resolve) => {
        look = () => reached() && resolve();
        this.#waiting.add(look);
      });
      try {
        await within(come, `event ${number}`, deadlineMs);
      } finally {
        this.#waiting.delete(look);
      }
    }
    if (this.wrong !== undefined) throw new Error(this.wrong);
  }
}

/** A plain WebSocket that checks the order of numbered events, and keeps none. */
export class OrderedReader extends OrderCheck {
  readonly socket: WebSocket;

  /** @param after the number before that of the first expected event */
  static async open(url: string, after = 0): Promise<OrderedReader> {
    const reader = new OrderedReader(url, after);
    await within(new Promise((resolve) => reader.socket.once('open', resolve)), 'a WebSocket to open');
    return reader;
  }

  private constructor(url: string, after: number) {
    super(after);
    this.socket = new WebSocket(url);
    afterTest(() => this.socket.terminate());
    this.socket.on('message', (data) => this.next(data.toString()));
  }
}
