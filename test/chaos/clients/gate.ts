import type { Pausable } from './followers/follower.js';

/** Lets bytes through, or holds them back and thereby stops the reading of their socket. */
export class Gate implements Pausable {
  #open: Promise<void> = Promise.resolve();
  #opened: (() => void) | undefined;

  pause(): void {
    if (this.#opened !== undefined) return;
    this.#open = new Promise((resolve) => {
      this.#opened = resolve;
    });
  }

  resume(): void {
    this.#opened?.();
    this.#opened = undefined;
  }

  stream(): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: async (bytes, controller) => {
        await this.#open;
        controller.enqueue(bytes);
      },
    });
  }
}
