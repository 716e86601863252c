import { spawnSync } from 'node:child_process';

/** External programs that some tests need. */
export type Program = 'chromium' | 'nginx' | 'postgresql' | 'python' | 'rabbitmq';

/** Whether a test fails, instead of being skipped, if a program that it needs is missing. */
export const isRequired = process.env['PREGON_REQUIRE'] === 'all';

const hidden = new Set(process.env['PREGON_WITHOUT']?.split(','));

/**
 * Whether to treat a program as missing: `PREGON_WITHOUT=rabbitmq,postgresql`, or `PREGON_WITHOUT=all` to see what a
 * newcomer sees.
 */
export function isHidden(program: Program): boolean {
  return hidden.has('all') || hidden.has(program);
}

/**
 * How long an empty Node.js process takes on this machine at this moment, in milliseconds: 30 on a quiet machine, more
 * than a second on a busy one. Limits on what a user waits for are multiples of it.
 */
export function emptyProcessMs(): number {
  const began = performance.now();
  spawnSync(process.execPath, ['--eval', '']);
  return performance.now() - began;
}
