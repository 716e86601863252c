/**
 * V8 lets its young generation grow to 16 MiB and more, and clears it in one go: where thousands connect at once, and so most of it lives on,
 * that stops deliveries for tens of milliseconds. Of 2 MiB it is cleared in half of that, and takes a thousand bytes less for each of ten thousand
 * connections. What it costs where there are many audiences, and who had better choose otherwise: docs/operations/running.md.
 */
const SMALL_YOUNG_GENERATION = '--max-semi-space-size=2';

/**
 * The flags of Node.js for workers: this process' own, and a small young generation unless somebody has set its size.
 *
 * @param nodeOptions the variable `NODE_OPTIONS`
 */
export function heapFlags(execArgv: readonly string[], nodeOptions = ''): readonly string[] {
  const isSet = [nodeOptions, ...execArgv].some((flags) => /semi[-_]space[-_]size/.test(flags));
  return isSet ? execArgv : [SMALL_YOUNG_GENERATION, ...execArgv];
}
