import { setImmediate as turn } from 'node:timers/promises';
import type { Retention } from '../../core/ports/retention.js';

export type { LogInfo, LogMark, Retention, TrimResult } from '../../core/ports/retention.js';

/**
 * What a log keeps unless told otherwise: 1 GiB of payload, some three million events of 350 bytes. A limit, because a log that
 * nobody thinks of must not fill a disk; in bytes, because that is what a disk has; and large enough that a client which was away
 * over a long weekend still resumes in all but the busiest systems.
 */
export const DEFAULT_RETENTION: Retention = { maxBytes: 1_073_741_824 };

/** @throws RangeError where a limit is no integer from 0 on */
export function assertRetention(retention: Retention): void {
  for (const name of ['maxCount', 'maxAgeMs', 'maxBytes'] as const) {
    const limit = retention[name];
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) {
      throw new RangeError(`retention.${name} must be an integer from 0 on, not ${limit}`);
    }
  }
}

const DELAY_MS = 1_000;

/**
 * Applies a retention in the background: a moment after something was appended, in steps, with a turn of the event loop between
 * them. A step that fails is reported and tried again after the next append.
 */
export class BackgroundTrim {
  readonly #step: () => Promise<number>;
  readonly #onWarning: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  /** @param step drops a little; how many, 0 where all limits hold */
  constructor(step: () => Promise<number>, onWarning: (error: Error) => void) {
    this.#step = step;
    this.#onWarning = onWarning;
  }

  /** To be called after each append, one's own or another's; cheap. */
  appended(): void {
    if (this.#timer || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#run();
    }, DELAY_MS).unref();
  }

  /** Resolves when no step is under way. */
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
        new Error('the oldest events could not be dropped; tried again after the next append', { cause }),
      );
    }
    this.#timer = undefined;
  }
}
