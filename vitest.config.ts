import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Real processes and a real browser share the machine: few files at once, so that deadlines measure the code, not the queue.
    maxWorkers: 2,
    fileParallelism: true,
  },
});
