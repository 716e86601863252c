import type { TestRunner } from './runner.js';

/** A resource that is disposed of after the test that opened it. */
interface Disposable {
  dispose(): Promise<void>;
}

/** A test runner that disposes of the resources of each test, whether it passes or fails. */
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

  /** Registers a resource. @returns the resource */
  opened(subject: Subject): Subject {
    this.#subjects.push(subject);
    return subject;
  }
}
