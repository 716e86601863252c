import { type LogPoint, toError } from '@pregon/protocol';
import type { LogFollower, Page } from '../../core/ports/log-entry.js';
import { Backoff } from '../../core/time/backoff.js';

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;

/** The state of the log after a point, as seen at one moment. */
export type Step =
  | { readonly kind: 'page'; readonly page: Page; readonly atHead: boolean }
  | { readonly kind: 'replaced'; readonly head: LogPoint };

/**
 * A cursor that follows a log. It reads pages while there are any, with a turn of the event loop between them, then
 * waits for {@link Follower.wake}. Each page starts where the previous one ended, so surplus calls of `wake` are
 * harmless and no event is skipped.
 */
export class Follower {
  readonly #step: (after: LogPoint) => Step;
  readonly #target: LogFollower;
  #cursor: LogPoint;
  #immediate: NodeJS.Immediate | undefined;
  #retry: NodeJS.Timeout | undefined;
  readonly #backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS, Math.random);
  #outage = false;
  #stopped = false;

  /** @param step reads without waiting; if it throws, the log counts as unavailable */
  constructor(after: LogPoint, target: LogFollower, step: (after: LogPoint) => Step) {
    this.#cursor = after;
    this.#target = target;
    this.#step = step;
    this.wake();
  }

  /** Must be called when something may have been appended. During an outage it does nothing; the next retry reads. */
  wake(): void {
    if (this.#stopped || this.#immediate || this.#retry) return;
    this.#immediate = setImmediate(() => this.#advance());
  }

  stop(): void {
    this.#stopped = true;
    clearImmediate(this.#immediate);
    clearTimeout(this.#retry);
  }

  #advance(): void {
    this.#immediate = undefined;
    let step: Step;
    try {
      step = this.#step(this.#cursor);
    } catch (error) {
      this.#fail(toError(error));
      return;
    }
    // The cursor moves first, so that a target that stops the follower or throws does not get the same step again.
    const { offset } = this.#cursor;
    this.#cursor = step.kind === 'page' ? step.page.through : step.head;
    if (step.kind === 'replaced') this.#target.replaced(step.head);
    this.#recover();
    if (this.#stopped) return;
    if (step.kind === 'page' && step.page.through.offset > offset) this.#target.appended(step.page);
    if (step.kind === 'replaced' || !step.atHead) this.wake();
  }

  #fail(error: Error): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.wake();
    }, this.#backoff.nextMs());
    if (this.#outage) return;
    this.#outage = true;
    this.#target.unavailable(error);
  }

  #recover(): void {
    if (!this.#outage || this.#stopped) return;
    this.#outage = false;
    this.#backoff.reset();
    this.#target.available();
  }
}
