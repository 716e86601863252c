import { setImmediate as turn } from 'node:timers/promises';
import type { Retention } from '../../core/ports/retention.js';

export type { LogInfo, LogMark, Retention, TrimResult } from '../../core/ports/retention.js';

/**
 * The default retention: 1 GiB of payload, about three million events of 350 bytes. There is a limit so that a log that
 * nobody watches cannot fill a disk. It is in bytes because disks are. It is large enough that, in all but the busiest
 * systems, a client that was away for a long weekend can still resume.
 */
export const DEFAULT_RETENTION: Retention = { maxBytes: 1_073_741_824 };

/**
 * Checks the limits of a retention.
 *
 * @throws RangeError if a limit is not an integer of at least 0
 * @example
 * assertRetention({ maxBytes: 1_073_741_824 });
 */
export function assertRetention(retention: Retention): void {
  for (const name of ['maxCount', 'maxAgeMs', 'maxBytes'] as const) {
    const limit = retention[name];
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) {
      throw new RangeError(`retention.${name} must be an integer of at least 0, not ${limit}`);
    }
  }
}

const DELAY_MS = 1_000;

/**
 * Applies a retention in the background. It starts shortly after an append and works in steps, with a turn of the event
 * loop between them. A step that fails is reported; the next append triggers another attempt.
 */
export class BackgroundTrim {
  readonly #step: () => Promise<number>;
  readonly #onWarning: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  /** @param step drops a few events and returns their number; 0 if all limits hold */
  constructor(step: () => Promise<number>, onWarning: (error: Error) => void) {
    this.#step = step;
    this.#onWarning = onWarning;
  }

  /** Must be called after each append, by this process or another; cheap. */
  appended(): void {
    if (this.#timer || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#run();
    }, DELAY_MS).unref();
  }

  /** Resolves when no step is running. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped && (await this.#step()) > 0) await turn();
    } catch (cause) {
      this.#onWarning(
        new Error('the oldest events could not be dropped; the next append triggers another attempt', { cause }),
      );
    }
    this.#timer = undefined;
  }
}
