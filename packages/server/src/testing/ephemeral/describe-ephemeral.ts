import { Disposing } from '../disposing.js';
import type { TestRunner } from '../runner.js';
import { describeAnyOrder } from './any-order.js';
import { describeBounds } from './bounds.js';
import { describeComingAndGoing } from './coming-and-going.js';
import type { EphemeralKind, EphemeralSubject } from './ephemeral-kind.js';
import { describeHearing } from './hearing.js';
import type { Open } from './member.js';

/**
 * The guarantees of {@link Ephemeral}, the channel between the gateways on one log, as tests for a kind of log that has
 * one.
 *
 * @param runner `describe` and `it` of a test runner, such as Vitest or `node:test`
 * @param kind creates the logs to test
 * @example
 * describeEphemeral({ describe, it }, {
 *   name: 'memory',
 *   create: async () => {
 *     const log = openMemoryLog();
 *     return { log, dispose: () => log.close() };
 *   },
 * });
 */
export function describeEphemeral(runner: TestRunner, kind: EphemeralKind): void {
  const suite = new Disposing<EphemeralSubject>(runner);
  const open: Open = async () => {
    const subject = suite.opened(await kind.create());
    const { log } = subject;
    return { log, another: async () => (await subject.another?.()) ?? log, dispose: () => subject.dispose() };
  };
  runner.describe(`ephemeral: ${kind.name}`, () => {
    describeHearing(suite, open);
    describeComingAndGoing(suite, open);
    describeBounds(suite, open, kind.countsAll ?? true);
    describeAnyOrder(suite, open, kind.seed);
  });
}
