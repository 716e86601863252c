import { Disposing } from '../disposing.js';
import type { TestRunner } from '../runner.js';
import { describeAppending } from './guarantees/appending.js';
import { describeClosing } from './guarantees/closing.js';
import { describeDetail } from './guarantees/detail.js';
import { describeDurability } from './guarantees/durability.js';
import { describeFinding } from './guarantees/finding.js';
import { describeFollowing } from './guarantees/following.js';
import { describeHostile } from './guarantees/hostile.js';
import { describeKept } from './guarantees/kept.js';
import { describeLocating } from './guarantees/locating.js';
import { describeLogOrder } from './guarantees/order.js';
import { describePoints } from './guarantees/points.js';
import { describeReading } from './guarantees/reading.js';
import { describeSecret } from './guarantees/secret.js';
import type { LogKind, LogSubject } from './log-kind.js';
import { completed, type Open } from './open.js';

/**
 * The guarantees of {@link Log}, as tests for a kind of log.
 *
 * @param runner `describe` and `it` of a test runner, such as Vitest or `node:test`
 * @param kind creates the logs to test
 * @example
 * describeLog({ describe, it }, {
 *   name: 'memory',
 *   capabilities: {},
 *   create: async (options) => {
 *     const log = openMemoryLog(options);
 *     return { log, dispose: () => log.close() };
 *   },
 * });
 */
export function describeLog(runner: TestRunner, kind: LogKind): void {
  const { capabilities: can } = kind;
  const suite = new Disposing<Required<LogSubject>>(runner);
  const open: Open = async (options) => suite.opened(completed(await kind.create(options)));
  runner.describe(`log: ${kind.name}`, () => {
    describeSecret(suite, open, can);
    describeAppending(suite, open);
    describeDetail(suite, open, can);
    describeFinding(suite, open, can);
    describePoints(suite, open, can);
    describeReading(suite, open);
    describeLocating(suite, open, can);
    describeFollowing(suite, open, can);
    describeHostile(suite, open);
    describeClosing(suite, open);
    describeLogOrder(suite, open, kind.seed);
    describeKept(suite, open, can);
    describeDurability(suite, open, can);
  });
}
