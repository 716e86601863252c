import { defineConfig } from 'vitest/config';
import { SlowestFirst } from './test/support/slowest-first.js';

/** Their assertions are about memory, CPU time or delays of real processes: they run one at a time, and nothing beside them. */
const MEASURING = [
  'test/gateway/delivery/{slow-connection,storm}.test.ts',
  // They hold a turn of the event loop to 20 ms of CPU, which takes longer beside a neighbour on the same core.
  'test/gateway/hostile/{topics,frames}.test.ts',
  'test/gateway/snapshots/large-snapshots.test.ts',
  'test/socketio/hostile/floods.test.ts',
  'test/e2e/logs/kept-turns.test.ts',
  'test/fuzz/fuzz.test.ts',
];

/** They start real processes, brokers and browsers, and wait for them most of the time. */
const WHOLE = [
  'apps/users/test/outage.test.ts',
  'packages/server/test/logs/{sqlite-processes,sqlite-following,sqlite-ephemeral}.test.ts',
  'packages/server/test/rabbitmq/**/*.test.ts',
  'test/contract/{ephemeral-rabbitmq,log-rabbitmq,outbox-postgres}.test.ts',
  'test/packages/**/*.test.ts',
  'test/{gateway,socketio,examples,e2e,chaos,fault*,fuzz,hostile}/**/*.test.ts',
];

/** Without a process, file, socket or global state, so that the files of one worker can share its modules. */
const PURE = [
  'packages/protocol/test/**/*.test.ts',
  'packages/client/test/{backoff,send,subscription}.test.ts',
  'packages/client/test/collections/*.test.ts',
  'packages/client/test/connection/{attempts,connecting,connection-state,liveness}.test.ts',
  'packages/server/test/{core,component}/**/*.test.ts',
  'packages/server/test/access/*.test.ts',
];

/** The files of one worker share their modules: what must end with a test or a file is ended by the setup. */
const shared = { isolate: false, setupFiles: ['test/support/setup.ts'] };

/** For a busy machine: no test that passes waits for them. */
const timeouts = { testTimeout: 240_000, hookTimeout: 240_000, expect: { poll: { timeout: 100_000 } } };

export default defineConfig({
  test: {
    sequence: { sequencer: SlowestFirst },
    projects: [
      {
        test: {
          ...timeouts,
          ...shared,
          name: 'pure',
          include: PURE,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...timeouts,
          ...shared,
          name: 'parts',
          include: [
            'packages/*/test/**/*.test.ts',
            'apps/*/test/**/*.test.ts',
            'test/{boundary,contract}/**/*.test.ts',
          ],
          exclude: [...PURE, ...MEASURING, ...WHOLE],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...timeouts,
          ...shared,
          name: 'whole',
          include: WHOLE,
          exclude: MEASURING,
          // Three for each core: they wait for two thirds of their time.
          maxWorkers: 6,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...timeouts,
          ...shared,
          // Measured is what a process of the test itself does, too.
          isolate: true,
          name: 'measuring',
          include: MEASURING,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
