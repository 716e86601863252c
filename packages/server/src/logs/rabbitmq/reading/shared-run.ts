/**
 * Shares runs of one piece of work among callers. At most one run is active; calls during a run share the next one. So
 * each result comes from a run that began after the call.
 */
export class SharedRun<Result> {
  readonly #work: () => Promise<Result>;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<Result> | undefined;

  constructor(work: () => Promise<Result>) {
    this.#work = work;
  }

  run(): Promise<Result> {
    this.#next ??= this.#runNext();
    return this.#next;
  }

  async #runNext(): Promise<Result> {
    await this.#running;
    this.#next = undefined;
    const work = this.#work();
    this.#running = work.catch(() => undefined);
    return work;
  }
}
