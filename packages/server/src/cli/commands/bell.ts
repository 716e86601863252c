import type { ResetReason } from '@pregon/protocol';

/** Rings kept until they are heard, so that none is missed between a read and the wait for the next. */
export class Bell {
  readonly #stop: AbortSignal;
  #rung = false;
  #wake: (() => void) | undefined;
  reset: ResetReason | undefined;

  constructor(stop: AbortSignal) {
    this.#stop = stop;
    stop.addEventListener('abort', () => this.ring(), { once: true });
  }

  ring(reset?: ResetReason): void {
    this.#rung = true;
    this.reset ??= reset;
    this.#wake?.();
  }

  async heard(): Promise<void> {
    if (!this.#rung && !this.#stop.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#rung = false;
    this.#wake = undefined;
  }
}
