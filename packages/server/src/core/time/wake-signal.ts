import { atMost } from './deadline.js';

/** Wakes a single waiter. A ring without a waiter is remembered for the next wait. */
export class WakeSignal {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /**
   * Resolves when {@link WakeSignal.ring} is called, at once if it was called since the last wait, or after `ms`
   * milliseconds.
   */
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
