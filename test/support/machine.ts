import { spawnSync } from 'node:child_process';

/** What some tests need beside Node.js. */
export type Program = 'chromium' | 'nginx' | 'postgresql' | 'python' | 'rabbitmq';

/** Whether a test fails, rather than being skipped, if a program that it needs is missing. */
export const isRequired = process.env['PREGON_REQUIRE'] === 'all';

const hidden = new Set(process.env['PREGON_WITHOUT']?.split(','));

/** Whether to treat a program as missing: `PREGON_WITHOUT=rabbitmq,postgresql`, or `PREGON_WITHOUT=all` to see what a newcomer sees. */
export function isHidden(program: Program): boolean {
  return hidden.has('all') || hidden.has(program);
}

/**
 * How long a Node.js process takes here and now that does nothing, in milliseconds: 30 on a machine that is quiet, more than a second on
 * a busy one. What a user waits for is told from what else the machine does by it.
 */
export function emptyProcessMs(): number {
  const began = performance.now();
  spawnSync(process.execPath, ['--eval', '']);
  return performance.now() - began;
}
