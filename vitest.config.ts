import { defineConfig } from 'vitest/config';

/** They break brokers and databases of their own, or fill them, and look at how long that is felt. */
const BROKEN_PARTS = [
  'packages/server/test/rabbitmq/**/*.test.ts',
  'test/contract/ephemeral-rabbitmq.test.ts',
  'apps/auction/test/outage.test.ts',
];

const timeouts = { testTimeout: 30_000, hookTimeout: 30_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...timeouts,
          name: 'parts',
          include: [
            'packages/*/test/**/*.test.ts',
            'apps/*/test/**/*.test.ts',
            'test/{boundary,contract,packages}/**/*.test.ts',
          ],
          exclude: BROKEN_PARTS,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...timeouts,
          name: 'whole',
          include: ['test/{gateway,socketio,examples,e2e,chaos}/**/*.test.ts', ...BROKEN_PARTS],
          // Real processes, a real browser, memory and delays are looked at: one file at a time, so that what is
          // measured is the code and not the queue for the processor.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
