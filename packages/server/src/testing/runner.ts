/**
 * The functions of a test runner that a published suite calls: those of Vitest, of `node:test`, or any others of this shape. A suite
 * brings its own assertions and cleans up after each of its tests. Its tests run one after the other.
 *
 * Give a test 30 seconds or more: on a busy machine a durable log takes its time.
 */
export interface TestRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
}
