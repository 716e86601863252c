import { atMost } from './deadline.js';

/** Wakes the one that waits, and remembers a call that came while nobody did. */
export class WakeSignal {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves if {@link WakeSignal.ring} was called since the last wait, or when the time is over. */
  async wait(ms?: number): Promise<void> {
    if (!this.#rung) {
      const rung = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await (ms === undefined ? rung : atMost(ms, rung));
      this.#wake = undefined;
    }
    this.#rung = false;
  }
}
