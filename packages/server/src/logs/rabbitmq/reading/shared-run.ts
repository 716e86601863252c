/**
 * Does a piece of work for many: at most one run is under way, and whoever asks during it shares the one after it. So the result is
 * always of a run that began after it was asked for.
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
