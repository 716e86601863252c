/** What some tests need beside Node.js. */
export type Program = 'chromium' | 'nginx' | 'postgresql' | 'python' | 'rabbitmq';

/** Whether a test fails, rather than being skipped, if a program that it needs is missing. */
export const isRequired = process.env['PREGON_REQUIRE'] === 'all';

const hidden = new Set(process.env['PREGON_WITHOUT']?.split(','));

/** Whether to treat a program as missing: `PREGON_WITHOUT=rabbitmq,postgresql`, or `PREGON_WITHOUT=all` to see what a newcomer sees. */
export function isHidden(program: Program): boolean {
  return hidden.has('all') || hidden.has(program);
}
