import { atMost } from '../../../core/time/deadline.js';

/** Takes a message; returns false if the caller must wait for {@link Outbound.goOn} before the next one. */
export type Publish = (body: Buffer) => boolean;

/**
 * The messages that wait to be sent, up to a number of bytes. Senders never wait; messages that do not fit are dropped
 * and counted.
 */
export class Outbound {
  readonly #maxBytes: number;
  readonly #flushed = new Set<() => void>();
  #waiting: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  #publish: Publish | undefined;
  #full = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get dropped(): number {
    return this.#dropped;
  }

  send(text: string): void {
    const body = Buffer.from(text);
    if (this.#bytes + body.length > this.#maxBytes) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(body);
    this.#bytes += body.length;
    this.#flush();
  }

  /** Starts to send: there is a channel. */
  open(publish: Publish): void {
    this.#publish = publish;
    this.#full = false;
    this.#flush();
  }

  goOn(): void {
    this.#full = false;
    this.#flush();
  }

  /** Stops sending: the channel is gone. Waiting messages are kept. */
  shut(): void {
    this.#publish = undefined;
  }

  /** Drops the waiting messages. */
  drop(): void {
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    this.#bytes = 0;
    this.#tellFlushed();
  }

  /** Resolves when no message waits, or after the time limit. */
  async flushed(withinMs: number): Promise<void> {
    if (this.#waiting.length === 0) return;
    let tell = () => {};
    const flushed = new Promise<void>((resolve) => {
      tell = resolve;
      this.#flushed.add(tell);
    });
    await atMost(withinMs, flushed);
    this.#flushed.delete(tell);
  }

  #flush(): void {
    let taken = 0;
    for (const body of this.#waiting) {
      if (!this.#publish || this.#full) break;
      this.#full = !this.#publish(body);
      this.#bytes -= body.length;
      taken += 1;
    }
    if (taken > 0) this.#waiting = this.#waiting.slice(taken);
    if (this.#waiting.length === 0) this.#tellFlushed();
  }

  #tellFlushed(): void {
    for (const tell of [...this.#flushed]) tell();
  }
}
