import type { TestRunner } from './runner.js';

/** Something that a test opened, and that is gone after it. */
interface Disposable {
  dispose(): Promise<void>;
}

/** Ends what a test opened, whatever becomes of the test. */
export class Disposing<Subject extends Disposable> implements TestRunner {
  readonly #runner: TestRunner;
  readonly #subjects: Subject[] = [];

  constructor(runner: TestRunner) {
    this.#runner = runner;
  }

  readonly describe = (name: string, body: () => void): unknown => this.#runner.describe(name, body);

  readonly it = (name: string, body: () => Promise<void>): unknown =>
    this.#runner.it(name, async () => {
      try {
        await body();
      } finally {
        for (const subject of this.#subjects.splice(0).reverse()) await subject.dispose();
      }
    });

  /** @returns the subject */
  opened(subject: Subject): Subject {
    this.#subjects.push(subject);
    return subject;
  }
}
