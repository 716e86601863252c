/**
 * The functions of a test runner that a published suite calls: those of Vitest, `node:test`, or any other runner with
 * this shape. A suite has its own assertions and cleans up after each of its tests. Its tests must run one after the
 * other.
 *
 * Set a timeout of 30 seconds or more per test: a durable log can be slow on a busy machine.
 */
export interface TestRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
}
