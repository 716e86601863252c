import { atMost } from '../../../core/time/deadline.js';

/** Takes a message; false where it is to be given no more until it is told to go on. */
export type Publish = (body: Buffer) => boolean;

/** What waits to be sent, a bounded number of bytes: who sends never waits, and what does not fit is dropped and counted. */
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

  /** The way is open. */
  open(publish: Publish): void {
    this.#publish = publish;
    this.#full = false;
    this.#flush();
  }

  goOn(): void {
    this.#full = false;
    this.#flush();
  }

  /** The way is shut; what waits is kept. */
  shut(): void {
    this.#publish = undefined;
  }

  /** Drops what waits. */
  drop(): void {
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    this.#bytes = 0;
    this.#tellFlushed();
  }

  /** Resolves when nothing waits, or when the time is over. */
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
